/** One entry that is no directory, from what has its name now to what is to have it. */
import { closeSync, constants } from 'node:fs'
import { maxMode, nanosecondsOf } from '../tree/entry.ts'
import { clearAway } from './clear-away.ts'
import { judgeExisting } from './existing.ts'
import type { EntryFacts } from './facts.ts'
import type { LinkSource } from './link-groups.ts'
import { kindOf, type LocalStats } from './local-stats.ts'
import { identityOf, type OpenDirectory } from './open-directory.ts'
import { type Content, makeFile, makeLink, makeOther, type Placing, settlingOf } from './placing.ts'
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
  const { run, directory, path } = spot
  const refused: Placed = { outcome: 'refused', source }
  if (!isAllowed(spot, facts)) return refused
  try {
    const existing = directory?.look(facts.name)
    const outcome = existing === undefined ? 'made' : outcomeFor(spot, facts, existing)
    if (outcome === 'kept') return { outcome, source }
    if (run.options.dryRun === true || directory === undefined) return { outcome, source }
    if (outcome === 'finished') return finished(spot, directory, facts, source)
    if (!spot.isInPlace()) {
      run.report('moved', path)
      return refused
    }
    const isDirectory = existing !== undefined && kindOf(existing) === 'directory'
    if (isDirectory && !clearDirectory(spot, directory, facts.name)) return refused
    const placing: Placing = { run, directory, facts, path, replace: outcome === 'replaced' }
    return await make(spot, placing, content, source)
  } catch (error) {
    run.failed(error, path)
    return refused
  }
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
  const { facts, replace } = placing
  const outcome = replace ? 'replaced' : 'made'
  const linked = source === undefined ? 'unlinked' : await linkTo(spot, placing, source)
  if (linked === 'made') return { outcome, source }
  if (linked === 'refused') return { outcome: 'refused', source }
  const identity = await (facts.kind === 'file' ? makeFile(placing, content) : makeOther(placing))
  if (identity === undefined) return { outcome: 'refused', source }
  const stats = { dev: identity.device, ino: identity.inode }
  return { outcome, source: source ?? sourceAt(spot, facts, stats) }
}

/** The way to the earlier name is gone again from the root, so that no link on it is followed. */
async function linkTo(
  { run, path }: Spot,
  placing: Placing,
  source: LinkSource,
): Promise<'made' | 'refused' | 'unlinked'> {
  const { sizeBytes, mtime } = placing.facts
  const isSame = source.sizeBytes === sizeBytes && source.mtimeNs === nanosecondsOf(mtime)
  const directory = isSame ? reach(run.root, source.above) : undefined
  try {
    const linked =
      directory === undefined ? 'unlinked' : await makeLink(placing, { ...source, directory })
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
