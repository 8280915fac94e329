/**
 * Makes one file, link, fifo or device in a directory of the target: under a part's name first,
 * with everything that belongs to it, and then under its own by one call. What had the name before
 * is never written to, whatever else it may be linked to.
 */
import { statfsSync } from 'node:fs'
import { GridError, isGridError } from '../base/errors.ts'
import { kindBits } from './local-stats.ts'
import { identityOf, type Identity, type OpenDirectory, sameIdentity } from './open-directory.ts'
import { Part, type Placing, settlingOf } from './part.ts'
import { settle } from './settle.ts'
import { SparseWriter } from './sparse-writer.ts'

/**
 * Content of a file, asked for only if it is to be written: its pieces in order, or a call that
 * writes them to `fd`, an empty file, and leaves it as long as the entry says.
 */
export type Content = (() => AsyncIterable<Uint8Array>) | { fill: (fd: number) => Promise<void> }

/** Files smaller than this are not worth asking for the free space. */
const askFromBytes = 16 * 2 ** 20

/** Whether it was made; if not, that has been reported. Throws E_FILE, E_INTERRUPTED. */
export async function makeFile(placing: Placing, content: Content): Promise<Identity | undefined> {
  if (!hasRoom(placing)) return undefined
  const part = new Part(placing)
  try {
    const fd = part.openFile()
    if ('fill' in content) await content.fill(fd)
    else await writeAll(new SparseWriter(fd, placing.facts.sizeBytes), content)
    const { identity } = part
    part.finishFile()
    return identity
  } catch (error) {
    part.giveUp(error)
    return undefined
  }
}

/** As `makeFile`, of a small file whose content is had at once. Whether it was made. */
export function makeFileNow(placing: Placing, content: () => Uint8Array): boolean {
  const part = new Part(placing)
  try {
    const writer = new SparseWriter(part.openFile(), placing.facts.sizeBytes)
    writer.write(content())
    writer.end()
    part.finishFile()
    return true
  } catch (error) {
    part.giveUp(error)
    return false
  }
}

/** The same for what has no content. */
export function makeOther(placing: Placing): Identity | undefined {
  const { run, directory, facts, path } = placing
  const { kind, target, meta } = facts
  const { native } = run.options
  if (kind !== 'symlink' && native === undefined) {
    run.report('special', path, 'no adapter')
    return undefined
  }
  const part = new Part(placing)
  try {
    const place = directory.pathOf(part.name)
    if (kind === 'symlink') directory.makeSymlink(part.name, target ?? new Uint8Array(0))
    else native?.makeNode(place, kindBits[kind] | 0o600, meta.device ?? { major: 0, minor: 0 })
    settle({ path: place }, facts, settlingOf(run, path))
    const identity = identityOf(directory.look(part.name)!)
    part.finish()
    return identity
  } catch (error) {
    part.giveUp(error)
    return undefined
  }
}

/** Gives what `source` is a further name; `unlinked` if the system will not, or if it is another by now. */
export function makeLink(
  placing: Placing,
  source: { directory: OpenDirectory; name: Uint8Array; identity: Identity },
): Identity | undefined | 'unlinked' {
  const { directory } = placing
  const { identity } = source
  const part = new Part(placing)
  try {
    directory.link(source.directory, source.name, part.name)
    const made = directory.look(part.name)
    if (made === undefined || !sameIdentity(identityOf(made), identity)) throw new Error('changed')
  } catch {
    directory.discard(part.name)
    return 'unlinked'
  }
  try {
    part.finish()
    return identity
  } catch (error) {
    part.giveUp(error)
    return undefined
  }
}

/** What the content throws is told from what the disk says. */
async function writeAll(
  writer: SparseWriter,
  content: () => AsyncIterable<Uint8Array>,
): Promise<void> {
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
