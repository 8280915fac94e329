/** The entries of one log, in memory: what is where, and none of their bytes. */
import { compareBytes, equalBytes, toHex } from '../base/bytes.ts'
import type { StoredEntry } from './log-store.ts'

interface Chain<Entry> {
  readonly author: Uint8Array
  /** Entry `seq` at `seq - 1`. */
  readonly entries: Entry[]
  readonly forks: Entry[]
  /** Those behind a gap, which the medium made: they count again once it is filled. */
  stranded: Entry[]
}

/** `Entry` may say besides where an entry lies. */
export class LogIndex<Entry extends StoredEntry> {
  readonly #chains = new Map<string, Chain<Entry>>()
  #bytes = 0

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes
  }

  authors(): Uint8Array[] {
    return [...this.#chains.keys()].sort().map((key) => this.#chains.get(key)!.author)
  }

  chain(author: Uint8Array): readonly Entry[] {
    return this.#chains.get(toHex(author))?.entries ?? []
  }

  forks(author: Uint8Array): readonly Entry[] {
    return this.#chains.get(toHex(author))?.forks ?? []
  }

  /**
   * Takes entries in, in any order. One that is there already adds at most its body; of two with
   * one number that were both taken for the next, by two processes, the one received first is in
   * the chain.
   */
  add(entries: readonly Entry[]): void {
    const byChain = new Map<Chain<Entry>, Entry[]>()
    for (const entry of entries) {
      const chain = this.#chainOf(entry.author)
      const added = byChain.get(chain)
      if (added === undefined) byChain.set(chain, [entry])
      else added.push(entry)
    }
    for (const [chain, added] of byChain) this.#extend(chain, added)
  }

  #extend(chain: Chain<Entry>, added: readonly Entry[]): void {
    const ordered = [...added, ...chain.stranded].sort(byPlace)
    chain.stranded = []
    for (const entry of ordered) {
      const next = chain.entries.length + 1
      if (this.#completes(chain, entry)) continue
      if (entry.fork || entry.seq < next) chain.forks.push(entry)
      else if (entry.seq === next) chain.entries.push(entry)
      else {
        chain.stranded.push(entry)
        continue
      }
      this.#bytes += entry.headBytes + (entry.bodyBytes ?? 0)
    }
    if (chain.forks.length > 1) chain.forks.sort(byPlace)
  }

  /** Whether the entry is there; if it brings the body that was missing, it takes the other's place. */
  #completes(chain: Chain<Entry>, entry: Entry): boolean {
    for (const [list, i] of [
      [chain.entries, entry.seq - 1],
      [chain.forks, chain.forks.findIndex((fork) => isSame(fork, entry))],
    ] as const) {
      const known = list[i] as Entry | undefined
      if (known === undefined || !isSame(known, entry)) continue
      if (known.bodyBytes === undefined && entry.bodyBytes !== undefined) {
        list[i] = entry
        this.#bytes += entry.bodyBytes
      }
      return true
    }
    return false
  }

  #chainOf(author: Uint8Array): Chain<Entry> {
    const key = toHex(author)
    const known = this.#chains.get(key)
    if (known !== undefined) return known
    const chain = { author, entries: [], forks: [], stranded: [] }
    this.#chains.set(key, chain)
    return chain
  }
}

function isSame(a: StoredEntry, b: StoredEntry): boolean {
  return a.seq === b.seq && equalBytes(a.id, b.id)
}

/** By number; then those of the chain before evidence, the earlier before the later, and at last by id. */
function byPlace(a: StoredEntry, b: StoredEntry): number {
  if (a.seq !== b.seq) return a.seq - b.seq
  if (a.fork !== b.fork) return a.fork ? 1 : -1
  if (a.receivedMs !== b.receivedMs) return a.receivedMs - b.receivedMs
  return compareBytes(a.id, b.id)
}
