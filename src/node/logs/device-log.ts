/** One device's own chain, kept open between appends: the next entry then needs no reading before it. */
import { u32be } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { hmac } from '../../base/hash.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { CapOf } from '../../caps/cap.ts'
import { logSeriesKeyOf } from '../../caps/keys.ts'
import type { ChainWriter } from '../../log/chain-writer.ts'
import type { Device } from '../../log/device.ts'
import { entryIdOf } from '../../log/entry.ts'
import type { AppendReport } from '../../log/quorum-append.ts'
import { seriesBytes, type Snapshot } from '../../log/snapshot-body.ts'

/** What a snapshot says, as its device tells it. */
export type SnapshotFacts = Omit<Snapshot, 'parents'> & {
  /** Ids of the snapshots it was made from; the device's newest one unless told. */
  parents?: readonly Uint8Array[]
}

/** Heads that are acknowledged may be this old. */
const refreshAfterMs = 60_000

export class DeviceLog {
  readonly #device: Device
  readonly #clock: Clock
  readonly #seriesKey: Uint8Array
  #lastId: Uint8Array | undefined
  #readMs: number

  /** @param seed - of the device, 32 bytes; borrowed */
  constructor(device: Device, clock: Clock, seed: Uint8Array) {
    this.#device = device
    this.#seriesKey = logSeriesKeyOf(seed)
    this.#clock = clock
    this.#readMs = clock.monotonicMs()
    this.#lastId = device.writer.view.chainOf(device.writer.author)?.chain.head?.id
  }

  /** What writes its chain. */
  get writer(): ChainWriter {
    return this.#device.writer
  }

  /** Ed25519 key of the device. */
  get author(): Uint8Array {
    return this.#device.writer.author
  }

  /** Number of its newest entry, durable or not; 0 for none. */
  get seq(): number {
    return this.#device.writer.seq
  }

  /** Name of the device, by its certificate. */
  get label(): string {
    return this.#device.writer.view.rules.certificateOf(this.author)?.label ?? ''
  }

  /**
   * Appends a snapshot of a directory whose objects are stored. One that was written before and is
   * not durable yet is offered first.
   *
   * @returns a report whose outcome is `not-durable` if a quorum did not take it; call `retry` then
   * @throws E_NOT_DURABLE, E_FORKED, E_REVOKED, E_CERTIFICATE, E_RATE
   */
  async append(
    facts: SnapshotFacts,
    options: { signal?: AbortSignal } = {},
  ): Promise<AppendReport> {
    const { writer } = this.#device
    if (this.#clock.monotonicMs() - this.#readMs > refreshAfterMs) await this.refresh(options)
    const { pending } = writer
    const before = pending === undefined ? this.#lastId : entryIdOf(pending.header)
    const parents = facts.parents ?? (before === undefined ? [] : [before])
    const { cap, totals } = facts
    const check = { cap: verifierOf(cap), totals, ...this.#seriesOf(facts) }
    const report = await this.#device.append({ ...facts, parents }, check, options)
    this.#lastId = report.id
    return report
  }

  #seriesOf({ run, paths }: SnapshotFacts): { series?: Uint8Array } {
    if (run === undefined) return {}
    const parts = [run.root, ...paths].flatMap((path) => [u32be(path.length), path])
    return { series: hmac(this.#seriesKey, ...parts).slice(0, seriesBytes) }
  }

  /** Reads the log again, for the heads that the next entry acknowledges. */
  async refresh(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#device.writer.refresh(options)
    this.#readMs = this.#clock.monotonicMs()
  }

  /** Offers the entry that is not durable yet once more; undefined if there is none. */
  retry(options: { signal?: AbortSignal } = {}): Promise<AppendReport | undefined> {
    return this.#device.writer.retry(options)
  }
}

function verifierOf(cap: CapOf<'DIR-CHK'>): CapOf<'DIR-CHK-Verifier'> {
  return attenuate(cap, 'DIR-CHK-Verifier')
}
