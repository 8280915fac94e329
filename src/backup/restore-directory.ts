/**
 * A directory while it is restored: made when something in it is, and finished when everything in
 * it is done, in whatever order that comes to its end.
 */
import type { EntryFacts } from '../local/facts.ts'
import type { TargetDirectory } from '../local/target-directory.ts'

export interface DirectoryEvents {
  /** If it is not there, the target would not make it, and has reported why. */
  opened: (directory: RestoreDirectory, isThere: boolean) => void
  closed: (directory: RestoreDirectory) => void
}

export class RestoreDirectory {
  readonly #above: RestoreDirectory | undefined
  readonly #facts: EntryFacts | undefined
  readonly #events: DirectoryEvents
  #target: TargetDirectory | undefined
  #isOpen: boolean
  /** What is under way in it, and the walk as long as it is there. */
  #holds = 1
  #isDamaged = false
  /** Names that are to be left alone once it is opened. */
  readonly #kept: Uint8Array[] = []

  private constructor(
    above: RestoreDirectory | undefined,
    facts: EntryFacts | undefined,
    target: TargetDirectory | undefined,
    events: DirectoryEvents,
  ) {
    this.#above = above
    this.#facts = facts
    this.#target = target
    this.#isOpen = target !== undefined
    this.#events = events
  }

  /** The target itself, which gets what `facts` say if there are any. */
  static top(
    target: TargetDirectory,
    facts: EntryFacts | undefined,
    events: DirectoryEvents,
  ): RestoreDirectory {
    return new RestoreDirectory(undefined, facts, target, events)
  }

  below(facts: EntryFacts): RestoreDirectory {
    this.hold()
    return new RestoreDirectory(this, facts, undefined, this.#events)
  }

  /** Where it is restored to, made if it is not there yet; undefined if it may not be. */
  target(): TargetDirectory | undefined {
    if (!this.#isOpen) {
      this.#isOpen = true
      const above = this.#above?.target()
      if (above === undefined) return undefined
      this.#target = above.directory(this.#facts!)
      for (const name of this.#kept.splice(0)) this.#target?.keep(name)
      this.#events.opened(this, this.#target !== undefined)
    }
    return this.#target
  }

  /** It is finished only after as many releases. */
  hold(): void {
    this.#holds++
  }

  release(): void {
    if (--this.#holds > 0) return
    if (!this.#isOpen) this.#above?.keep(this.#facts!.name)
    else if (this.#target !== undefined) {
      if (this.#isDamaged) this.#target.abandon()
      else this.#target.finish(this.#facts)
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
    if (this.#isOpen) this.#target?.keep(name)
    else this.#kept.push(name)
  }

  /** Leaves it, and all above, as they are. */
  abandon(): void {
    this.#target?.abandon()
  }
}
