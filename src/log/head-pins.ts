/** Where a reader remembers the newest head of each chain that it has verified, as a port. */
import { toHex } from '../base/bytes.ts'
import type { SignedHeader } from './entry.ts'

export interface HeadPins {
  /** Heads pinned for this log, each as signed; empty at first. */
  load(logId: Uint8Array): Promise<readonly SignedHeader[]>
  /** Replaces them; durable on return. They are kept and not written to. */
  save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void>
}

/** Pins that last as long as the process. */
export class MemoryHeadPins implements HeadPins {
  readonly #pins = new Map<string, readonly SignedHeader[]>()

  async load(logId: Uint8Array): Promise<readonly SignedHeader[]> {
    return this.#pins.get(toHex(logId)) ?? []
  }

  async save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void> {
    this.#pins.set(toHex(logId), heads)
  }
}
