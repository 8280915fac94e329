/**
 * Keeps a directory on disk, so that nodes are found again while every introducer is down
 * (docs/specs/introducer.md, "Kept list"). The file is a cache: a damaged one is as good as none, and
 * what is in it is verified like news.
 */
import { type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { isGridError } from '../base/errors.ts'
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { type Announcement, readAnnouncement } from './announcement.ts'
import type { Directory, DirectoryEntry } from './directory.ts'

type KeptEntry = Pick<DirectoryEntry, 'announcement' | 'sources' | 'untilMs'>

const fileVersion = 1
/** For 1,000 entries of the longest kind. */
const limits = { depth: 4, items: 32_768, bytes: 6 * 1024 * 1024 }
/** Changes come in crowds: this long after the first one all are written at once. */
const saveDelayMs = 5_000

export class DirectoryKeeper {
  readonly #directory: Directory
  readonly #keptAt: KeptAt | undefined
  readonly #clock: Clock
  readonly #trace: Trace
  #cancel: (() => void) | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(directory: Directory, options: { keptAt?: KeptAt; clock: Clock; trace?: Trace }) {
    this.#directory = directory
    this.#keptAt = options.keptAt
    this.#clock = options.clock
    this.#trace = options.trace ?? noTrace
  }

  /** Fills the directory with what was kept; never rejects. */
  async load(): Promise<void> {
    if (this.#keptAt === undefined) return
    try {
      const bytes = await readKept(this.#keptAt, limits.bytes)
      if (bytes === undefined) return
      const entries = parseList(bytes)
      const nowMs = this.#clock.nowMs()
      for (const entry of entries) this.#directory.restore(entry.announcement, entry, nowMs)
    } catch (error) {
      this.#trace.event('introducer.list-unreadable', { error: String(error) })
    }
  }

  /** Says that the directory has changed: it will be written soon. */
  changed(): void {
    if (this.#keptAt === undefined) return
    this.#cancel ??= this.#clock.after(saveDelayMs, () => this.#save())
  }

  /** Resolves when every change is on disk, or could not be written; never rejects. */
  async close(): Promise<void> {
    if (this.#cancel !== undefined) this.#save()
    await this.#saving
  }

  #save(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#saving = this.#saving.then(() => this.#write())
  }

  async #write(): Promise<void> {
    try {
      await replaceKept(this.#keptAt!, formatList(this.#directory.since(0)))
    } catch (error) {
      this.#trace.event('introducer.list-unwritable', { error: String(error) })
    }
  }
}

/** `[1, [[sources, untilMs, announcement] …]]`, in the order of changes. */
function formatList(entries: Iterable<KeptEntry>): Uint8Array {
  const rows = Array.from(entries, ({ announcement, sources, untilMs }): CborValue => [
    sources,
    untilMs,
    announcement.bytes,
  ])
  return encodeCbor([fileVersion, rows])
}

/** Rows that are not sound are left out. Throws E_CBOR for a file that is damaged. */
function parseList(bytes: Uint8Array): KeptEntry[] {
  const list = decodeCbor(bytes, limits)
  if (!Array.isArray(list) || list[0] !== fileVersion || !Array.isArray(list[1])) return []
  return (list[1] as CborValue[]).flatMap((row) => parseRow(row) ?? [])
}

function parseRow(row: CborValue): KeptEntry | undefined {
  if (!Array.isArray(row)) return undefined
  const [sources, untilMs, bytes] = row as CborValue[]
  if (!Array.isArray(sources) || sources.length === 0 || typeof untilMs !== 'number') {
    return undefined
  }
  if (!sources.every((source) => typeof source === 'string')) return undefined
  const announcement = bytes instanceof Uint8Array ? verified(bytes) : undefined
  return announcement && { announcement, sources, untilMs }
}

function verified(bytes: Uint8Array): Announcement | undefined {
  try {
    return readAnnouncement(bytes)
  } catch (error) {
    if (isGridError(error, 'E_ANNOUNCEMENT')) return undefined
    throw error
  }
}
