/**
 * The lines of results.tsv: `peer set round time STEP seconds cpu server-cpu rss-MiB exit`,
 * `peer set round size WHEN bytes disk-bytes files`, `peer set round restored VERDICT`.
 */

/** One run of one step; times in seconds. */
export interface Cell {
  seconds: number
  cpuSeconds: number
  serverCpuSeconds: number
  rssMebibytes: number
  exit: number
}

/** A repository: apparent bytes, bytes of the blocks that the disk gives them, files. */
export interface Size {
  bytes: number
  diskBytes: number
  files: number
}

/** What one peer did with one data set. */
export class PeerResults {
  readonly #cells = new Map<string, Cell[]>()
  readonly #sizes = new Map<string, Size>()
  /** `all`, `contents` or `DIFFERS`, of the last round. */
  restored: string | undefined

  add(kind: string, [name, ...fields]: string[]): void {
    const [a, b, c, d, e] = fields.map(Number)
    if (kind === 'restored') this.restored = name
    else if (kind === 'size') this.#sizes.set(name, { bytes: a, diskBytes: b, files: c })
    else {
      const cell = {
        seconds: a,
        cpuSeconds: b,
        serverCpuSeconds: c,
        rssMebibytes: d,
        exit: e,
      }
      this.#cells.set(name, [...(this.#cells.get(name) ?? []), cell])
    }
  }

  /** The fastest run of `step` that ended well, or else one that did not. */
  best(step: string): Cell | undefined {
    const cells = this.#cells.get(step) ?? []
    const good = cells.filter(({ exit }) => exit === 0)
    return good.sort((a, b) => a.seconds - b.seconds)[0] ?? cells[0]
  }

  /** The repository after the backup `when`: first, unchanged, changed or pruned. */
  size(when: string): Size | undefined {
    return this.#sizes.get(when)
  }
}

/** By data set, then by peer, in the order of the lines. */
export function readResults(
  lines: readonly (readonly string[])[],
): Map<string, Map<string, PeerResults>> {
  const results = new Map<string, Map<string, PeerResults>>()
  for (const [peer, set, , kind, ...fields] of lines) {
    const peers = results.get(set) ?? new Map<string, PeerResults>()
    results.set(set, peers)
    const found = peers.get(peer) ?? new PeerResults()
    peers.set(peer, found)
    found.add(kind, fields)
  }
  return results
}
