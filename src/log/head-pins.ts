/** Where a reader remembers the newest head of each chain that it has verified, as a port. */
import { toHex } from '../base/bytes.ts'
import { readHeader, type SignedHeader } from './entry.ts'

export interface HeadPins {
  /** Heads pinned for this log, each as signed; empty at first. */
  load(logId: Uint8Array): Promise<readonly SignedHeader[]>
  /**
   * Moves them on to `heads`, which are kept and not written to; durable on return. One that was
   * saved before by another process and is further on stays: a pin never moves back.
   */
  save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void>
}

/** Pins that last as long as the process. */
export class MemoryHeadPins implements HeadPins {
  readonly #pins = new Map<string, readonly SignedHeader[]>()

  async load(logId: Uint8Array): Promise<readonly SignedHeader[]> {
    return this.#pins.get(toHex(logId)) ?? []
  }

  async save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void> {
    this.#pins.set(toHex(logId), movedOn(await this.load(logId), heads))
  }
}

/** The further one of each author's two heads. Throws E_ENTRY for a header that is none. */
export function movedOn(
  before: readonly SignedHeader[],
  heads: readonly SignedHeader[],
): SignedHeader[] {
  const furthest = new Map<string, { seq: number; head: SignedHeader }>()
  for (const head of [...heads, ...before]) {
    const { author, seq } = readHeader(head).fields
    const known = furthest.get(toHex(author))
    if (known === undefined || known.seq < seq) furthest.set(toHex(author), { seq, head })
  }
  return [...furthest.values()].map(({ head }) => head)
}
