/**
 * What readers and writers of logs remember between runs (docs/commands.md, "The home"): the heads
 * that were verified, and the entry that was signed last. In a home, or for one process only.
 */
import path from 'node:path'
import { toBase32 } from '../../base/base32.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../base/cbor.ts'
import { GridError } from '../../base/errors.ts'
import { type LogEntry, maxBodyBytes, maxHeaderBytes, type SignedHeader } from '../../log/entry.ts'
import { type EntryJournal, MemoryEntryJournal } from '../../log/entry-journal.ts'
import { type HeadPins, MemoryHeadPins, movedOn } from '../../log/head-pins.ts'
import { maxChains } from '../../log/log-peer.ts'
import { lockFile } from '../home/home-lock.ts'
import { RecordFolder, type RecordFolderOptions } from '../home/record-folder.ts'

export interface LogRecords {
  pins: HeadPins
  journal: EntryJournal
  /**
   * Makes the caller the only one here who writes the chain of `author`: two that both write its
   * next entry would fork it. Resolves to what lets the next one in.
   *
   * @throws E_LOCKED
   */
  lock(author: Uint8Array): Promise<() => Promise<void>>
}

/** Records that last as long as the process. */
export function memoryRecords(): LogRecords {
  const locked = new Set<string>()
  return {
    pins: new MemoryHeadPins(),
    journal: new MemoryEntryJournal(),
    async lock(author) {
      const name = toBase32(author)
      if (locked.has(name)) throw new GridError('E_LOCKED', 'this chain is being written already')
      locked.add(name)
      return async () => {
        locked.delete(name)
      }
    },
  }
}

/** Records in files, one for each log and each author. */
export function diskRecords(options: RecordFolderOptions): LogRecords {
  const folder = new RecordFolder(options)
  return {
    pins: new DiskHeadPins(folder),
    journal: new DiskEntryJournal(folder),
    async lock(author) {
      await folder.make()
      const lock = await lockFile(path.join(folder.path, `${toBase32(author)}.lock`), busy)
      return () => lock.release()
    },
  }
}

const headLimits = { depth: 3, items: 3 + 3 * maxChains, bytes: maxChains * (maxHeaderBytes + 128) }
const entryLimits = { depth: 1, items: 5, bytes: maxHeaderBytes + maxBodyBytes + 256 }

/** `[1, [[header, signature] …]]` in `<log id>.pins`. */
export class DiskHeadPins implements HeadPins {
  readonly #folder: RecordFolder

  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  async load(logId: Uint8Array): Promise<readonly SignedHeader[]> {
    const bytes = await this.#folder.read(pinsFile(logId), headLimits.bytes)
    if (bytes === undefined) return []
    const [, heads] = recordOf(bytes, headLimits, 2)
    if (!Array.isArray(heads)) throw damaged()
    return (heads as CborValue[]).map(readHead)
  }

  async save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void> {
    const moved = movedOn(await this.load(logId), heads)
    const rows = moved.map(({ header, signature }) => [header, signature])
    await this.#folder.write(pinsFile(logId), encodeCbor([1, rows]))
  }
}

/** `[1, header, signature, body]` in `<author>.entry`. */
export class DiskEntryJournal implements EntryJournal {
  readonly #folder: RecordFolder

  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  async load(author: Uint8Array): Promise<LogEntry | undefined> {
    const bytes = await this.#folder.read(entryFile(author), entryLimits.bytes)
    if (bytes === undefined) return undefined
    const [, header, signature, body] = recordOf(bytes, entryLimits, 4)
    return { header: bytesIn(header), signature: bytesIn(signature), body: bytesIn(body) }
  }

  async save(author: Uint8Array, entry: LogEntry): Promise<void> {
    const { header, signature, body = new Uint8Array(0) } = entry
    await this.#folder.write(entryFile(author), encodeCbor([1, header, signature, body]))
  }

  clear(author: Uint8Array): Promise<void> {
    return this.#folder.remove(entryFile(author))
  }
}

function pinsFile(logId: Uint8Array): string {
  return `${toBase32(logId)}.pins`
}

function entryFile(author: Uint8Array): string {
  return `${toBase32(author)}.entry`
}

function recordOf(
  bytes: Uint8Array,
  limits: typeof entryLimits,
  length: number,
): readonly CborValue[] {
  let value: CborValue
  try {
    value = decodeCbor(bytes, limits)
  } catch {
    throw damaged()
  }
  if (Array.isArray(value) && typeof value[0] === 'number' && value[0] > 1) {
    throw new GridError('E_VERSION', "a record of a log in the home's logs/ is of a newer format", {
      hint: 'upgrade Grid; nothing was changed',
    })
  }
  if (!Array.isArray(value) || value.length !== length || value[0] !== 1) throw damaged()
  return value as readonly CborValue[]
}

function readHead(value: CborValue): SignedHeader {
  if (!Array.isArray(value) || value.length !== 2) throw damaged()
  const [header, signature] = value as CborValue[]
  return { header: bytesIn(header), signature: bytesIn(signature) }
}

function bytesIn(value: CborValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw damaged()
}

/** Never taken for one that is not there: then an entry could be written twice. */
function damaged(): GridError {
  return new GridError('E_IO', "a record of a log in the home's logs/ is damaged", {
    hint: 'move it away if you know that no entry of this device is unfinished',
  })
}

function busy(pid: number): GridError {
  return new GridError('E_LOCKED', `process ${pid} is writing this chain of the log`, {
    hint: 'wait until it is done',
    facts: { pid },
  })
}
