/**
 * Since when servers answer, or do not, as this home has seen it: so that a fault of today is not
 * told like one that was always there. In the home's cache; without it everything is new.
 */
import { utf8 } from '../../base/bytes.ts'
import type { RecordFolder } from '../home/record-folder.ts'

/** Wall times, by this machine's clock. */
export interface Seen {
  /** It answered last; undefined if it never did. */
  answeredMs: number | undefined
  /** It has not answered since, as far as anybody looked; undefined while it does. */
  silentSinceMs: number | undefined
}

const fileName = 'peer-history'
const maxBytes = 512 * 1024
const maxPeers = 2000

export class PeerHistory {
  readonly #folder: RecordFolder
  #seen: Map<string, Seen>

  private constructor(folder: RecordFolder, seen: Map<string, Seen>) {
    this.#folder = folder
    this.#seen = seen
  }

  /** What is unreadable is forgotten. */
  static async open(folder: RecordFolder): Promise<PeerHistory> {
    const bytes = await folder.read(fileName, maxBytes).catch(() => undefined)
    return new PeerHistory(folder, bytes === undefined ? new Map<string, Seen>() : parse(bytes))
  }

  /** Notes whether a server answered now, and returns how it has been. */
  note(id: string, answers: boolean, nowMs: number): Seen {
    const before = this.#seen.get(id)
    const seen: Seen = answers
      ? { answeredMs: nowMs, silentSinceMs: undefined }
      : { answeredMs: before?.answeredMs, silentSinceMs: before?.silentSinceMs ?? nowMs }
    this.#seen.delete(id)
    this.#seen.set(id, seen)
    return seen
  }

  /** Keeps what was noted. Throws E_IO. */
  async save(): Promise<void> {
    const rows = [...this.#seen].slice(-maxPeers).map(([id, { answeredMs, silentSinceMs }]) => {
      return [id, answeredMs ?? 0, silentSinceMs ?? 0]
    })
    await this.#folder.write(fileName, utf8(JSON.stringify(rows)))
  }
}

function parse(bytes: Uint8Array): Map<string, Seen> {
  try {
    const rows = JSON.parse(new TextDecoder().decode(bytes)) as [string, number, number][]
    const timeOf = (value: number): number | undefined => (value > 0 ? value : undefined)
    return new Map(
      rows.map(([id, answered, silent]) => {
        return [id, { answeredMs: timeOf(answered), silentSinceMs: timeOf(silent) }]
      }),
    )
  } catch {
    return new Map<string, Seen>()
  }
}
