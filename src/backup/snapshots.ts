/**
 * The snapshots in a log, in the order in which servers received them, and the one that somebody
 * means by a name. Bodies are opened from the newest back, only as far as is asked for: to open one
 * takes milliseconds, and there may be thousands.
 */
import { toBase32 } from '../base/base32.ts'
import { toHex } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import type { ReadHeader } from '../log/entry.ts'
import type { LogView } from '../log/log-view.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import type { LogSnapshot, ReadableLog } from '../node/logs/readable-log.ts'
import { fitsFilter, filtersNothing, type SnapshotFilter } from './snapshot-filter.ts'

export interface ListedSnapshot extends LogSnapshot {
  /** The first ten letters of its id. */
  shortId: string
  /** When a quorum of servers had it, by their clocks; undefined where too few vouch for a time. */
  receivedMs: number | undefined
}

/** One whose body could be opened. */
export type OpenSnapshot = ListedSnapshot & { snapshot: Snapshot }

interface Options {
  signal?: AbortSignal
}

const shortLetters = 10
const leastLetters = 4
/** Entries of one chain that are opened together. */
const pageEntries = 16

export class Snapshots {
  readonly view: LogView
  readonly #log: ReadableLog

  private constructor(log: ReadableLog, view: LogView) {
    this.#log = log
    this.view = view
  }

  /** Reads the log. Throws E_UNREACHABLE if no server that answers has it. */
  static async open(log: ReadableLog, options: Options = {}): Promise<Snapshots> {
    return new Snapshots(log, await log.read(options))
  }

  /**
   * Yields those that fit, newest first by the time of their receipts. What a device has written
   * comes in the order of its chain, whatever its clock said. One that cannot be opened has an error
   * in it, and fits only where nothing is filtered.
   */
  async *newestFirst(
    filter: SnapshotFilter = {},
    options: Options = {},
  ): AsyncGenerator<ListedSnapshot> {
    const chains = await Promise.all(
      this.#chains().map((entries) => Backwards.over(this.#log, this.view, entries, options)),
    )
    for (;;) {
      let newest: Backwards | undefined
      for (const chain of chains)
        if (chain.next !== undefined && !(newest !== undefined && newest.nextMs >= chain.nextMs))
          newest = chain
      if (newest?.next === undefined) return
      const { next } = newest
      await newest.pass(options)
      const { snapshot } = next
      if (snapshot === undefined ? filtersNothing(filter) : fitsFilter(snapshot, filter)) yield next
    }
  }

  /** At most `count` of the newest that fit; all if undefined. The newest comes last. */
  async list(
    filter: SnapshotFilter = {},
    { latest = Infinity, signal }: Options & { latest?: number } = {},
  ): Promise<ListedSnapshot[]> {
    const found: ListedSnapshot[] = []
    if (latest <= 0) return found
    for await (const each of this.newestFirst(filter, { signal }))
      if (found.push(each) >= latest) break
    return found.reverse()
  }

  /**
   * The snapshot that `name` means: `latest`, the beginning of an id (at least four letters),
   * `DEVICE:SEQ`, or the newest with that label. `filter` narrows the first and the last.
   *
   * @throws E_USAGE if there is none, or more than one; what opening it throws
   */
  async find(
    name: string,
    filter: SnapshotFilter = {},
    options: Options = {},
  ): Promise<OpenSnapshot> {
    const entry = name === 'latest' ? undefined : (this.#byId(name) ?? this.#byNumber(name))
    const found =
      entry === undefined
        ? await this.#newest(name === 'latest' ? filter : { ...filter, labels: [name] }, options)
        : await listed(this.#log, this.view, [entry], options).then(([only]) => only)
    if (found === undefined) throw unknown(name)
    const { snapshot, error } = found
    if (snapshot === undefined)
      throw error ?? new GridError('E_CAP_WEAK', 'a LOG-Verify cap opens no snapshot')
    return { ...found, snapshot }
  }

  /** Passes over what cannot be opened, unless nothing else is there. */
  async #newest(filter: SnapshotFilter, options: Options): Promise<ListedSnapshot | undefined> {
    let sealed: ListedSnapshot | undefined
    for await (const each of this.newestFirst(filter, options)) {
      if (each.snapshot !== undefined) return each
      sealed ??= each
    }
    return sealed
  }

  #byId(prefix: string): ReadHeader | undefined {
    if (prefix.length < leastLetters || !/^[a-z2-7]+$/.test(prefix)) return undefined
    const found = [...this.view.entries('snapshot')].filter(({ id }) =>
      toBase32(id).startsWith(prefix),
    )
    if (found.length < 2) return found[0]
    const ids = found.slice(0, 5).map(({ id }) => toBase32(id).slice(0, shortLetters + 6))
    throw new GridError('E_USAGE', `${found.length} snapshots have an id that begins so`, {
      hint: `give more of it: ${ids.join(', ')}`,
    })
  }

  /** `laptop:12`, also with the letters behind it that `head` has. */
  #byNumber(name: string): ReadHeader | undefined {
    const [, device, digits, letters = ''] =
      /^(.+?):([1-9][0-9]{0,14})(?::([a-z2-7]{1,52}))?$/.exec(name) ?? []
    if (device === undefined) return undefined
    const seq = Number(digits)
    const { rules } = this.view
    const found = [...this.view.entries('snapshot')].filter(({ fields, id }) => {
      const { author } = fields
      const isDevice =
        rules.certificateOf(author)?.label === device ||
        (device.length >= shortLetters && toBase32(author).startsWith(device))
      return isDevice && fields.seq === seq && toBase32(id).startsWith(letters)
    })
    if (found.length < 2) return found[0]
    throw new GridError('E_USAGE', `${found.length} devices of that name have an entry ${seq}`, {
      hint: 'give the id of the snapshot; see: grid snapshots',
    })
  }

  /** Trusted snapshot entries of each chain, by seq. */
  #chains(): ReadHeader[][] {
    const chains = new Map<string, ReadHeader[]>()
    for (const entry of this.view.entries('snapshot')) {
      const author = toHex(entry.fields.author)
      chains.set(author, [...(chains.get(author) ?? []), entry])
    }
    return [...chains.values()]
  }
}

/** One chain from its end, opened page by page. */
class Backwards {
  readonly #log: ReadableLog
  readonly #view: LogView
  readonly #entries: readonly ReadHeader[]
  #left: number
  /** By seq; the last comes next. */
  #page: ListedSnapshot[] = []

  private constructor(log: ReadableLog, view: LogView, entries: readonly ReadHeader[]) {
    this.#log = log
    this.#view = view
    this.#entries = entries
    this.#left = entries.length
  }

  static async over(
    log: ReadableLog,
    view: LogView,
    entries: readonly ReadHeader[],
    options: Options,
  ): Promise<Backwards> {
    const chain = new Backwards(log, view, entries)
    await chain.#load(options)
    return chain
  }

  get next(): ListedSnapshot | undefined {
    return this.#page.at(-1)
  }

  /** One that no quorum vouches for is placed right behind the one before it. */
  get nextMs(): number {
    return this.#page.findLast(({ receivedMs }) => receivedMs !== undefined)?.receivedMs ?? 0
  }

  async pass(options: Options): Promise<void> {
    this.#page.pop()
    if (this.#page.length === 0) await this.#load(options)
  }

  async #load(options: Options): Promise<void> {
    const from = Math.max(0, this.#left - pageEntries)
    const entries = this.#entries.slice(from, this.#left)
    this.#left = from
    this.#page = await listed(this.#log, this.#view, entries, options)
  }
}

async function listed(
  log: ReadableLog,
  view: LogView,
  entries: readonly ReadHeader[],
  options: Options,
): Promise<ListedSnapshot[]> {
  if (entries.length === 0) return []
  const times = await log.receiptTimes(view, entries, options)
  const found: ListedSnapshot[] = []
  for await (const each of log.openAll(view, entries, options)) {
    const shortId = toBase32(each.id).slice(0, shortLetters)
    found.push({ ...each, shortId, receivedMs: times.get(toHex(each.id)) })
  }
  return found
}

function unknown(name: string): GridError {
  const message = name === 'latest' ? 'the log has no such snapshot' : `no snapshot is called so`
  return new GridError('E_USAGE', message, {
    hint: 'see what there is: grid snapshots',
    facts: { snapshot: name },
  })
}
