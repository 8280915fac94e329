/** One entry that is no directory, from what has its name now to what is to have it. */
import { closeSync, constants } from 'node:fs'
import { maxMode, nanosecondsOf } from '../tree/entry.ts'
import { clearAway } from './clear-away.ts'
import { judgeExisting } from './existing.ts'
import type { EntryFacts } from './facts.ts'
import type { LinkSource } from './link-groups.ts'
import { kindOf, type LocalStats } from './local-stats.ts'
import { identityOf, type OpenDirectory } from './open-directory.ts'
import { type Placing, settlingOf } from './part.ts'
import { type Content, makeFile, makeFileNow, makeLink, makeOther } from './placing.ts'
import { settle } from './settle.ts'
import type { TargetRun } from './target-run.ts'

/**
 * `made`: it was not there. `replaced`: something else was. `finished`: it was there, as an
 * interrupted run leaves it. `kept`: what was there stays. `refused`: nothing was written. A dry run
 * says what would be.
 */
export type Outcome = 'made' | 'replaced' | 'finished' | 'kept' | 'refused'

/** Where an entry goes. */
export interface Spot {
  run: TargetRun
  /** Undefined in a dry run, where the directory is not there. */
  directory: OpenDirectory | undefined
  /** Names from the root of the target to the directory. */
  above: readonly Uint8Array[]
  path: Uint8Array
  /** Whether the directory is still where it was opened. */
  isInPlace: () => boolean
  /** The directory was made by this run, which places each name once: nothing is looked for. */
  isNew?: boolean
}

export interface Placed {
  outcome: Outcome
  /** What a further name of the same file can be linked to. */
  source: LinkSource | undefined
}

/** `source` is an earlier name of the same file, if there is one. Throws E_FILE, E_INTERRUPTED. */
export async function placeEntry(
  spot: Spot,
  facts: EntryFacts,
  content: Content,
  source: LinkSource | undefined,
): Promise<Placed> {
  try {
    const placing = prepare(spot, facts, source)
    return 'outcome' in placing ? placing : await make(spot, placing, content, source)
  } catch (error) {
    spot.run.failed(error, spot.path)
    return { outcome: 'refused', source }
  }
}

/** As `placeEntry`, of what has one name only, and at most a content that is had at once. */
export function placeNow(spot: Spot, facts: EntryFacts, content: () => Uint8Array): Outcome {
  try {
    const placing = prepare(spot, facts, undefined)
    if ('outcome' in placing) return placing.outcome
    const isMade =
      facts.kind === 'file' ? makeFileNow(placing, content) : makeOther(placing) !== undefined
    return isMade ? outcomeOf(placing) : 'refused'
  } catch (error) {
    spot.run.failed(error, spot.path)
    return 'refused'
  }
}

/** What comes of an entry without its content being asked for; undefined if that is needed. */
export function placeWithout(spot: Spot, facts: EntryFacts): Outcome | undefined {
  try {
    const placing = prepare(spot, facts, undefined, true)
    return 'outcome' in placing ? placing.outcome : undefined
  } catch (error) {
    spot.run.failed(error, spot.path)
    return 'refused'
  }
}

/**
 * What is to be made; or what came of it, where nothing is. With `onlyLook` a directory in its way
 * is left for later.
 */
function prepare(
  spot: Spot,
  facts: EntryFacts,
  source: LinkSource | undefined,
  onlyLook = false,
): Placing | Placed {
  const { run, directory, path } = spot
  const refused: Placed = { outcome: 'refused', source }
  if (!isAllowed(spot, facts)) return refused
  const isNew = spot.isNew === true && run.options.dryRun !== true
  const existing = isNew ? undefined : directory?.look(facts.name)
  const outcome = existing === undefined ? 'made' : outcomeFor(spot, facts, existing)
  if (outcome === 'kept') return { outcome, source }
  if (run.options.dryRun === true || directory === undefined) return { outcome, source }
  if (outcome === 'finished') return finished(spot, directory, facts, source)
  const placing: Placing = { run, directory, facts, path, replace: outcome === 'replaced' }
  if (onlyLook) return placing
  if (!spot.isInPlace()) {
    run.report('moved', path)
    return refused
  }
  const isDirectory = existing !== undefined && kindOf(existing) === 'directory'
  return isDirectory && !clearDirectory(spot, directory, facts.name) ? refused : placing
}

function isAllowed({ run, path }: Spot, { kind }: EntryFacts): boolean {
  const isPlain = kind === 'file' || kind === 'symlink'
  if (isPlain || run.options.trusted === true) return true
  run.report('special', path, kind)
  return false
}

function outcomeFor(spot: Spot, facts: EntryFacts, existing: LocalStats): Outcome {
  const { run, directory, path } = spot
  const { overwrite = 'never', resume = true } = run.options
  const readLink = (): Uint8Array => directory!.readLink(facts.name)
  const verdict = judgeExisting(facts, existing, { overwrite, resume }, readLink)
  if (verdict === 'finished') return 'finished'
  if (verdict === 'replace') return 'replaced'
  if (overwrite === 'never') run.report('exists', path)
  return 'kept'
}

/** What is there has the content; where all is overwritten, it gets the rest as well. */
function finished(
  spot: Spot,
  directory: OpenDirectory,
  facts: EntryFacts,
  source: LinkSource | undefined,
): Placed {
  const stats = directory.look(facts.name)
  if (stats === undefined) return { outcome: 'finished', source }
  if (spot.run.options.overwrite === 'always') settleExisting(spot, directory, facts, stats)
  return { outcome: 'finished', source: sourceAt(spot, facts, stats) }
}

/** A file of several names may have one outside the target: then it is left as it is. */
function settleExisting(
  { run, path }: Spot,
  directory: OpenDirectory,
  facts: EntryFacts,
  stats: LocalStats,
): void {
  if (stats.nlink > 1n) {
    if ((Number(stats.mode) & maxMode) !== facts.mode)
      run.report('mode-not-kept', path, 'the file has other names')
    return
  }
  if (facts.kind !== 'file') {
    settle({ path: directory.pathOf(facts.name) }, facts, settlingOf(run, path))
    return
  }
  const fd = directory.openFile(facts.name, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    settle({ fd }, facts, settlingOf(run, path))
  } finally {
    closeSync(fd)
  }
}

/** A directory stands where something else belongs: it goes if it is empty, or if all surplus goes. */
function clearDirectory({ run, path }: Spot, directory: OpenDirectory, name: Uint8Array): boolean {
  if (run.options.delete === true) return clearAway(run, directory, name, path)
  try {
    directory.removeDirectory(name)
    return true
  } catch {
    run.report('exists', path, 'a directory that is not empty')
    return false
  }
}

async function make(
  spot: Spot,
  placing: Placing,
  content: Content,
  source: LinkSource | undefined,
): Promise<Placed> {
  const { facts } = placing
  const outcome = outcomeOf(placing)
  const linked = source === undefined ? 'unlinked' : linkTo(spot, placing, source)
  if (linked === 'made') return { outcome, source }
  if (linked === 'refused') return { outcome: 'refused', source }
  const identity = facts.kind === 'file' ? await makeFile(placing, content) : makeOther(placing)
  if (identity === undefined) return { outcome: 'refused', source }
  const stats = { dev: identity.device, ino: identity.inode }
  return { outcome, source: source ?? sourceAt(spot, facts, stats) }
}

function outcomeOf({ replace }: Placing): 'made' | 'replaced' {
  return replace ? 'replaced' : 'made'
}

/** The way to the earlier name is gone again from the root, so that no link on it is followed. */
function linkTo(
  { run, path }: Spot,
  placing: Placing,
  source: LinkSource,
): 'made' | 'refused' | 'unlinked' {
  const { sizeBytes, mtime } = placing.facts
  const isSame = source.sizeBytes === sizeBytes && source.mtimeNs === nanosecondsOf(mtime)
  const directory = isSame ? reach(run.root, source.above) : undefined
  try {
    const linked =
      directory === undefined ? 'unlinked' : makeLink(placing, { ...source, directory })
    if (linked === 'unlinked') run.report('hard-link-not-kept', path)
    return linked === undefined ? 'refused' : linked === 'unlinked' ? 'unlinked' : 'made'
  } finally {
    directory?.close()
  }
}

/** The directory at the end of `names`; undefined where they no longer lead to one. */
function reach(
  root: OpenDirectory | undefined,
  names: readonly Uint8Array[],
): OpenDirectory | undefined {
  let at = root?.reopen()
  try {
    for (const name of names) {
      const next: OpenDirectory | undefined = at?.open(name)
      at?.close()
      at = next
    }
    return at
  } catch {
    at?.close()
    return undefined
  }
}

function sourceAt(
  { above }: Spot,
  facts: EntryFacts,
  stats: Pick<LocalStats, 'dev' | 'ino'>,
): LinkSource {
  const { name, sizeBytes, mtime } = facts
  return { above, name, identity: identityOf(stats), sizeBytes, mtimeNs: nanosecondsOf(mtime) }
}
