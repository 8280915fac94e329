/**
 * Makes one file, link, fifo or device in a directory of the target: under a part's name first,
 * with everything that belongs to it, and then under its own by one call. What had the name before
 * is never written to, whatever else it may be linked to.
 */
import { closeSync, constants, fstatSync, fsyncSync, statfsSync } from 'node:fs'
import { isDiskError } from '../base/disk.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { EntryFacts } from './facts.ts'
import { kindBits } from './local-stats.ts'
import { identityOf, type Identity, type OpenDirectory, sameIdentity } from './open-directory.ts'
import { type Settling, settle } from './settle.ts'
import { SparseWriter } from './sparse-writer.ts'
import type { TargetRun } from './target-run.ts'

/** Content of a file, asked for only if it is to be written. */
export type Content = () => AsyncIterable<Uint8Array>

export interface Placing {
  run: TargetRun
  directory: OpenDirectory
  facts: EntryFacts
  path: Uint8Array
  /** Whether what has the name may be replaced; else something that takes it meanwhile stays. */
  replace: boolean
}

/** Files smaller than this are not worth asking for the free space. */
const askFromBytes = 16 * 2 ** 20
const { O_CREAT, O_EXCL, O_WRONLY } = constants

/** Whether it was made; if not, that has been reported. Throws E_FILE, E_INTERRUPTED. */
export async function makeFile(placing: Placing, content: Content): Promise<Identity | undefined> {
  const { run, directory, facts, path } = placing
  const { sync = false } = run.options
  if (!hasRoom(placing)) return undefined
  return underPartName(placing, async (part) => {
    const fd = directory.openFile(part, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      const writer = new SparseWriter(fd, facts.sizeBytes)
      await writeAll(writer, content)
      settle({ fd }, facts, settlingOf(run, path))
      if (sync) fsyncSync(fd)
      return identityOf(fstatSync(fd, { bigint: true }))
    } finally {
      closeSync(fd)
    }
  })
}

/** The same for what has no content. */
export async function makeOther(placing: Placing): Promise<Identity | undefined> {
  const { run, directory, facts, path } = placing
  const { kind, target, meta } = facts
  const { native } = run.options
  if (kind !== 'symlink' && native === undefined) {
    run.report('special', path, 'no adapter')
    return undefined
  }
  return underPartName(placing, async (part) => {
    if (kind === 'symlink') directory.makeSymlink(part, target ?? new Uint8Array(0))
    else
      native?.makeNode(
        directory.pathOf(part),
        kindBits[kind] | 0o600,
        meta.device ?? { major: 0, minor: 0 },
      )
    settle({ path: directory.pathOf(part) }, facts, settlingOf(run, path))
    return identityOf(directory.look(part)!)
  })
}

/** Gives what `source` is a further name; `unlinked` if the system will not, or if it is another by now. */
export async function makeLink(
  placing: Placing,
  source: { directory: OpenDirectory; name: Uint8Array; identity: Identity },
): Promise<Identity | undefined | 'unlinked'> {
  const { run, directory } = placing
  const part = run.partName()
  const { identity } = source
  try {
    directory.link(source.directory, source.name, part)
    const made = directory.look(part)
    if (made === undefined || !sameIdentity(identityOf(made), identity)) throw new Error('changed')
  } catch {
    directory.discard(part)
    return 'unlinked'
  }
  return underPartName(placing, async () => identity, part)
}

export function settlingOf(run: TargetRun, path: Uint8Array): Settling {
  const { trusted = false, numericIds = false, native } = run.options
  const lost: Settling['lost'] = (code, detail) => run.report(code, path, detail)
  return { trusted, numericIds, owners: run.owners, native, lost }
}

async function underPartName(
  placing: Placing,
  make: (part: Uint8Array) => Promise<Identity>,
  part: Uint8Array = placing.run.partName(),
): Promise<Identity | undefined> {
  const { run, directory, facts, path, replace } = placing
  try {
    const identity = await make(part)
    if (replace) directory.rename(part, facts.name)
    else nameExclusively(directory, part, facts.name)
    return identity
  } catch (error) {
    directory.discard(part)
    if (isGridError(error, 'E_INTERRUPTED')) throw error
    if (isGridError(error, 'E_SIZE')) run.report('size', path, error.message, error)
    else if (isGridError(error)) run.report('content', path, error.code, error)
    else if (isDiskError(error, 'EEXIST') && !replace) run.report('exists', path)
    else run.failed(error, path)
    return undefined
  }
}

/** A link fails where the name has been taken meanwhile; a rename would replace. */
function nameExclusively(directory: OpenDirectory, part: Uint8Array, name: Uint8Array): void {
  try {
    directory.link(directory, part, name)
  } catch (error) {
    if (!isDiskError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
    directory.rename(part, name) // a file system without links, such as FAT
    return
  }
  directory.unlink(part)
}

/** What the content throws is told from what the disk says. */
async function writeAll(writer: SparseWriter, content: Content): Promise<void> {
  const pieces = content()[Symbol.asyncIterator]()
  for (;;) {
    const piece = await pieces.next().catch((error: unknown) => {
      if (isGridError(error)) throw error
      throw new GridError('E_FILE', 'the content could not be had', { cause: error })
    })
    if (piece.done === true) break
    try {
      writer.write(piece.value)
    } catch (error) {
      await pieces.return?.()
      throw error
    }
  }
  writer.end()
}

/** A file of holes may be larger than the disk; one that is not would fill it first. */
function hasRoom({ run, directory, facts, path }: Placing): boolean {
  if (facts.sizeBytes < askFromBytes || run.options.beyondFree === true) return true
  const { bavail, bsize } = statfsSync(Buffer.from(directory.pathOf(Uint8Array.of(0x2e))))
  if (facts.sizeBytes <= bavail * bsize) return true
  run.report('no-space', path, `${facts.sizeBytes} bytes`)
  return false
}
