/**
 * One directory of a target while it is filled. Entries come ascending by name, as a stored
 * directory gives them, each by one of `directory`, `place` and `keep`; then `finish` gives the
 * directory its own mode and time. Files may be written beside each other.
 */
import { fchmodSync } from 'node:fs'
import { concat } from '../base/bytes.ts'
import { nanosecondsOf } from '../tree/entry.ts'
import { Claims } from './claims.ts'
import { clearAway } from './clear-away.ts'
import type { EntryFacts } from './facts.ts'
import { kindOf, type LocalStats } from './local-stats.ts'
import { maxDepth } from './local-tree.ts'
import {
  type DirectoryHandle,
  type Identity,
  type OpenDirectory,
  sameIdentity,
} from './open-directory.ts'
import { settlingOf } from './part.ts'
import { type Outcome, placeEntry, placeWithout, type Spot } from './place-entry.ts'
import type { Content } from './placing.ts'
import { settle } from './settle.ts'
import { type Guard, guardBelow, homeGuard } from './startup-guard.ts'
import { Surplus } from './surplus.ts'
import { isPartName, type TargetRun } from './target-run.ts'

/** A directory that is being filled: nobody else gives one this mode, and so it is known again. */
export const unfinishedMode = 0o1700

const slash = Uint8Array.of(0x2f)
/** All but the set-group bit, which a directory may have from the one above it. */
const tellingModeBits = 0o5777

/** Where a directory of the target is. */
export interface TargetPlace {
  /** Undefined in a dry run, for a directory that is not there. */
  open: OpenDirectory | undefined
  parent?: OpenDirectory | undefined
  /** From the root of the target. */
  names: readonly Uint8Array[]
  guard?: Guard | undefined
  /** Whether this run made it. */
  made?: boolean
}

/** A directory of a target as another thread of the process reaches it: plain data. */
export interface TargetHandle {
  directory: DirectoryHandle
  parent: Identity | undefined
  /** Whether this run has made it. */
  isNew: boolean
  /** From the root of the target. */
  path: Uint8Array
}

export class TargetDirectory {
  readonly #run: TargetRun
  readonly #place: TargetPlace
  readonly #path: Uint8Array
  /** As it was found; undefined if it is new, or was left unfinished. */
  readonly #found: LocalStats | undefined
  readonly #guard: Guard | undefined
  readonly #claims: Claims
  readonly #surplus: Surplus | undefined
  #placing = 0

  constructor(run: TargetRun, place: TargetPlace) {
    const { startup = false, windowsNames = process.platform === 'win32' } = run.options
    const { open, names, guard } = place
    this.#run = run
    this.#place = place
    this.#path = names.reduce((path, name) => pathBelow(path, name), new Uint8Array(0))
    const stats = open?.stats()
    const isUnfinished =
      place.made === true || (Number(stats?.mode ?? 0) & tellingModeBits) === unfinishedMode
    this.#found = isUnfinished ? undefined : stats
    const isHome =
      run.home !== undefined && open !== undefined && sameIdentity(open.identity, run.home)
    this.#guard = startup ? undefined : isHome ? homeGuard : guard
    this.#claims = new Claims({ foldsNames: run.foldsNames, windowsNames, guard: this.#guard })
    this.#surplus = open === undefined ? undefined : this.#takeStock(open)
  }

  /** The directory of that name, to be filled and finished; undefined if it may not be. */
  directory({ name }: Pick<EntryFacts, 'name'>): TargetDirectory | undefined {
    if (!this.#claim(name)) return undefined
    const path = pathBelow(this.#path, name)
    const { names, open: parent } = this.#place
    if (names.length >= (this.#run.options.maxDepth ?? maxDepth)) {
      this.#run.report('too-deep', path)
      return undefined
    }
    try {
      const found = this.#openOrMake(name, path)
      if (found === undefined) return undefined
      const below = guardBelow(this.#guard, name)
      const guard = below === true ? undefined : below
      return openedDirectory(this.#run, {
        ...found,
        parent,
        names: [...names, name.slice()],
        guard,
      })
    } catch (error) {
      this.#run.failed(error, path)
      return undefined
    }
  }

  /**
   * Makes a file, link, fifo or device. `content` is asked for if a file is to be written, and must
   * come to the size that the entry says. Whatever is refused is reported.
   *
   * @throws E_FILE where nothing can be written any more, E_INTERRUPTED from `content`
   */
  async place(facts: EntryFacts, content: Content): Promise<Outcome> {
    return this.#claimFor(facts) ? this.fill(facts, content) : 'refused'
  }

  /**
   * The first half of `place`: what comes of the entry without its content. Undefined where that is
   * needed; then comes `fill`, or `placeNow` at `spotOf`, once, and before `finish`.
   */
  begin(facts: EntryFacts): Outcome | undefined {
    if (!this.#claimFor(facts)) return 'refused'
    // where nothing was before, nothing is looked for
    if (this.#place.made === true && this.#run.options.dryRun !== true) return undefined
    return facts.meta.hardLink === undefined ? placeWithout(this.spotOf(facts), facts) : undefined
  }

  /** The second half of `place`. Throws as that does. */
  async fill(facts: EntryFacts, content: Content): Promise<Outcome> {
    const { hardLink } = facts.meta
    const spot = this.spotOf(facts)
    this.#placing++
    try {
      const { outcome } =
        hardLink === undefined
          ? await placeEntry(spot, facts, content, undefined)
          : await this.#run.links.inTurn(hardLink, (source) =>
              placeEntry(spot, facts, content, source),
            )
      return outcome
    } finally {
      this.#placing--
    }
  }

  /** Where something of that name goes. */
  spotOf({ name }: Pick<EntryFacts, 'name'>): Spot {
    return {
      run: this.#run,
      directory: this.#place.open,
      above: this.#place.names,
      path: pathBelow(this.#path, name),
      isInPlace: () => this.#isInPlace(),
      isNew: this.#place.made === true,
    }
  }

  /** For `placeNow` in another thread; undefined in a dry run, where the directory is not there. */
  get handle(): TargetHandle | undefined {
    const { open, parent, made: isNew = false } = this.#place
    const path = this.#path
    return open && { directory: open.handle, parent: parent?.identity, isNew, path }
  }

  /** An entry that is not restored this time, and that `delete` must leave alone. */
  keep(name: Uint8Array): void {
    if (this.#claims.follows(name) === undefined) this.#surplus?.named(name)
  }

  /**
   * Removes what is too much, if that was asked for, and gives the directory what `facts` say. Only
   * after all that was placed in it has come to its end, and all directories in it are finished.
   */
  finish(facts?: EntryFacts): void {
    if (this.#placing > 0) throw new RangeError('finish: something is still being placed')
    const { open } = this.#place
    if (open === undefined) return
    try {
      if (!this.#isInPlace()) {
        this.#run.report('moved', this.#path)
        return
      }
      for (const name of this.#surplus?.rest() ?? []) this.#remove(open, name)
      if (this.#run.options.dryRun === true) return
      // the root of a target may have come without facts
      if (facts === undefined && this.#found === undefined) fchmodSync(open.fd, 0o700)
      if (facts !== undefined && this.#mayChange(facts))
        settle({ fd: open.fd }, facts, settlingOf(this.#run, this.#path))
    } finally {
      this.abandon()
    }
  }

  /** Leaves it as it is: a later run goes on with it. */
  abandon(): void {
    this.#place.open?.close()
  }

  #claimFor({ kind, name }: EntryFacts): boolean {
    if (kind === 'directory') throw new RangeError('facts: a directory is not placed')
    return this.#claim(name)
  }

  #claim(name: Uint8Array): boolean {
    const wrong = this.#claims.follows(name)
    if (wrong === undefined) this.#surplus?.named(name)
    const refusal = wrong ?? this.#claims.refusal(name)
    if (refusal !== undefined) this.#run.report(refusal, pathBelow(this.#path, name))
    return refusal === undefined
  }

  /** Undefined for what is refused, and has been reported. */
  #openOrMake(name: Uint8Array, path: Uint8Array): Pick<TargetPlace, 'open' | 'made'> | undefined {
    const { overwrite = 'never', dryRun = false } = this.#run.options
    const { open } = this.#place
    const existing = open?.look(name)
    const kind = existing === undefined ? undefined : kindOf(existing)
    if (kind === 'directory') return { open: open?.open(name) }
    if (existing !== undefined && overwrite !== 'always') {
      this.#run.report(kind === 'symlink' ? 'link-in-the-way' : 'exists', path)
      return undefined
    }
    if (dryRun || open === undefined) return { open: undefined }
    if (!this.#isInPlace()) {
      this.#run.report('moved', path)
      return undefined
    }
    if (existing !== undefined) open.unlink(name)
    open.makeDirectory(name, unfinishedMode)
    return { open: open.open(name), made: true }
  }

  /** Removes what an interrupted run left, and lists what may be too much. */
  #takeStock(open: OpenDirectory): Surplus | undefined {
    const { delete: deletes = false, dryRun = false, resume = true } = this.#run.options
    if (!deletes && !resume) return undefined
    const names = open.names()
    for (let i = 0; resume && !dryRun && i < names.length; i++) {
      const name = names.at(i)
      if (isPartName(name)) open.discard(name)
    }
    return deletes ? new Surplus(names) : undefined
  }

  #remove(open: OpenDirectory, name: Uint8Array): void {
    if (isPartName(name)) return
    const path = pathBelow(this.#path, name)
    if (guardBelow(this.#guard, name) === undefined) clearAway(this.#run, open, name, path)
    else this.#run.report('startup', path)
  }

  /** What was there before is changed as `overwrite` says; what is new or unfinished, always. */
  #mayChange({ mtime }: EntryFacts): boolean {
    const { overwrite = 'never' } = this.#run.options
    if (this.#found === undefined || overwrite === 'always') return true
    return overwrite === 'newer' && nanosecondsOf(mtime) > this.#found.mtimeNs
  }

  #isInPlace(): boolean {
    const { open, parent } = this.#place
    return open === undefined || parent === undefined || open.isIn(parent)
  }
}

/** Closes what was opened if it turns out that it cannot be listed. */
export function openedDirectory(run: TargetRun, place: TargetPlace): TargetDirectory {
  try {
    return new TargetDirectory(run, place)
  } catch (error) {
    place.open?.close()
    throw error
  }
}

export function pathBelow(path: Uint8Array, name: Uint8Array): Uint8Array {
  return path.length === 0 ? name : concat(path, slash, name)
}
