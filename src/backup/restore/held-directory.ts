/**
 * A directory while it is restored, or compared: opened when something in it is wanted, and finished
 * when everything in it is done, in whatever order that comes to its end.
 */
import type { EntryFacts } from '../../local/facts.ts'
import type { TargetHandle } from '../../local/target-directory.ts'

/** An open directory of this machine, as `TargetDirectory` is one. */
export interface OpenPlace<T> {
  readonly handle: TargetHandle | undefined
  /** The directory of that name in it; undefined if it may not be, which has been reported. */
  directory(facts: EntryFacts): T | undefined
  keep(name: Uint8Array): void
  /** Nothing is under way in it any more; it is closed. */
  finish(facts: EntryFacts | undefined): void
  abandon(): void
}

export interface DirectoryEvents<T extends OpenPlace<T>> {
  /** If it is not there, it may not be, and why has been reported. */
  opened: (directory: HeldDirectory<T>, isThere: boolean) => void
  closed: (directory: HeldDirectory<T>) => void
}

export class HeldDirectory<T extends OpenPlace<T>> {
  readonly #above: HeldDirectory<T> | undefined
  readonly #facts: EntryFacts | undefined
  readonly #events: DirectoryEvents<T>
  #place: T | undefined
  #isOpen: boolean
  /** What is under way in it, and the walk as long as it is there. */
  #holds = 1
  #isDamaged = false
  /** Names that are to be left alone once it is opened. */
  readonly #kept: Uint8Array[] = []

  private constructor(
    above: HeldDirectory<T> | undefined,
    facts: EntryFacts | undefined,
    place: T | undefined,
    events: DirectoryEvents<T>,
  ) {
    this.#above = above
    this.#facts = facts
    this.#place = place
    this.#isOpen = place !== undefined
    this.#events = events
  }

  /** The topmost one, which gets what `facts` say if there are any. */
  static top<T extends OpenPlace<T>>(
    place: T,
    facts: EntryFacts | undefined,
    events: DirectoryEvents<T>,
  ): HeldDirectory<T> {
    return new HeldDirectory(undefined, facts, place, events)
  }

  below(facts: EntryFacts): HeldDirectory<T> {
    this.hold()
    return new HeldDirectory<T>(this, facts, undefined, this.#events)
  }

  /** Where it is on this machine, opened if it is not yet; undefined if it may not be. */
  place(): T | undefined {
    if (!this.#isOpen) {
      this.#isOpen = true
      const above = this.#above?.place()
      if (above === undefined) return undefined
      this.#place = above.directory(this.#facts!)
      for (const name of this.#kept.splice(0)) this.#place?.keep(name)
      this.#events.opened(this, this.#place !== undefined)
    }
    return this.#place
  }

  /** Of where it is, which must be there. */
  get handle(): TargetHandle {
    const handle = this.place()?.handle
    if (handle === undefined) throw new RangeError('directory: not open')
    return handle
  }

  /** It is finished only after as many releases. */
  hold(): void {
    this.#holds++
  }

  release(): void {
    if (--this.#holds > 0) return
    if (!this.#isOpen) this.#above?.keep(this.#facts!.name)
    else if (this.#place !== undefined) {
      if (this.#isDamaged) this.#place.abandon()
      else this.#place.finish(this.#facts)
      this.#events.closed(this)
    }
    this.#above?.release()
  }

  /** Not all of what belongs in it is known: it stays unfinished, and nothing in it is too much. */
  spoil(): void {
    this.#isDamaged = true
  }

  /** An entry that is not restored, and not to be removed either. */
  keep(name: Uint8Array): void {
    if (this.#isOpen) this.#place?.keep(name)
    else this.#kept.push(name)
  }

  /** Leaves it, and all above, as they are. */
  abandon(): void {
    this.#place?.abandon()
  }
}
