/** Those who have no account of their own: who puts for a year, who renews, and a thief of a device's key. */
import { isGridError } from '../../../src/base/errors.ts'
import type { SignedRelease } from '../../../src/storage/hold-peer.ts'
import { KeepClient, orRefused } from './keep-client.ts'
import { prunerNumber } from './keep-log.ts'
import type { KeepParts } from './keep-parts.ts'
import type { KeepItem } from './keep-plan.ts'

type Attack = Extract<KeepItem, { kind: 'attack' }>

export class KeepVisitor {
  readonly #parts: KeepParts

  constructor(parts: KeepParts) {
    this.#parts = parts
  }

  /** Puts an object for as long as leases last, one share at each server. */
  async lease(number: number): Promise<void> {
    const { objects, options, tally } = this.#parts
    const { storageIndex, shares } = objects[number]
    const client = new KeepClient('visitor', this.#parts)
    for (const [i, peer] of client.peers.slice(0, options.n).entries()) {
      const body = { shareBytes: shares[i].length, pieces: [shares[i]] }
      const outcome = await orRefused(peer.putShare(storageIndex, i, body))
      if (outcome !== undefined) tally.reached('lease: given')
    }
  }

  async renew(): Promise<void> {
    const { objects, tally } = this.#parts
    const indexes = objects.map(({ storageIndex }) => storageIndex)
    for (const peer of new KeepClient('janitor', this.#parts).peers) {
      const outcomes = await orRefused(peer.renew(indexes))
      tally.add('lease: renewed', outcomes?.filter((each) => each !== 'absent').length)
    }
  }

  /** Tries to have all released that there is, with what a device's machine holds. */
  async attack({ device, way }: Attack, onReleased: (server: string) => void): Promise<void> {
    const { tally } = this.#parts
    const client = new KeepClient('thief', this.#parts)
    const signed = this.#forged(device, way)
    for (const peer of client.peers) {
      try {
        const { changed } = await peer.release(signed)
        if (changed > 0) onReleased(peer.id)
      } catch (error) {
        if (!isGridError(error)) throw error
        tally.reached('attack: a release was refused')
      }
    }
  }

  #forged(device: number, way: Attack['way']): SignedRelease {
    const { log, objects, clock } = this.#parts
    const indexes = objects.map(({ storageIndex }) => storageIndex)
    const nowMs = clock.nowMs()
    const numbers = { releaseSeq: log.releases.length + 1, cutoffMs: nowMs, clientMs: nowMs }
    const own = log.signedRelease(device, numbers, indexes)
    switch (way) {
      case 'own key':
        return own
      case 'stolen certificate':
        return { ...own, certificate: log.certificateOf(prunerNumber) }
      case 'no certificate':
        return { ...own, certificate: undefined }
      case 'other body': {
        const real = log.releases.at(-1)?.signed ?? own
        return { ...real, body: own.body }
      }
    }
  }
}
