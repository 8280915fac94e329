/**
 * What each server has acknowledged, checked against its disk: an acknowledged share is whole and
 * durable, from that moment on and after every crash, until the medium itself spoils it.
 */
import { equalBytes } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { ShareVerifier } from '../../src/encoding/share-verifier.ts'
import type { StorageIndex } from '../../src/storage/peer.ts'
import { parseShareName, shareName, sharePrefix } from '../../src/storage/share-name.ts'
import type { SimDisk } from './sim-disk.ts'

/** Where every simulated server keeps its store. */
export const storeRoot = 'node/storage'

interface Entry {
  storageIndex: StorageIndex
  shareNumber: number
  /** When it was acknowledged first. */
  sinceMs: number
  /** The share as it was found on the medium then. */
  bytes: Uint8Array
  spoilt: boolean
}

export class Ledger {
  readonly #disk: SimDisk
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  /** When the medium last spoilt a name. */
  readonly #spoiltMs = new Map<string, number>()

  readonly #mayBeGone: (storageIndex: StorageIndex) => boolean

  constructor(disk: SimDisk, clock: Clock, mayBeGone?: (storageIndex: StorageIndex) => boolean) {
    this.#disk = disk
    this.#clock = clock
    this.#mayBeGone = mayBeGone ?? (() => false)
  }

  /** Notes what was asked for at `askedMs` and is acknowledged now; returns what is wrong with it, if anything. */
  acknowledge(
    storageIndex: StorageIndex,
    shareNumber: number,
    askedMs: number,
  ): string | undefined {
    const name = shareName(storageIndex, shareNumber)
    const bytes = this.#durable(name) ?? new Uint8Array(0)
    const sinceMs = this.#entries.get(name)?.sinceMs ?? this.#clock.monotonicMs()
    this.#entries.set(name, { storageIndex, shareNumber, sinceMs, bytes, spoilt: false })
    if ((this.#spoiltMs.get(name) ?? -1) >= askedMs) return undefined
    const wrong = wrongWith(storageIndex, shareNumber, bytes)
    return wrong === undefined ? undefined : `${name} would not survive a power cut: ${wrong}`
  }

  /** The medium has spoilt the file at `path`. */
  spoil(path: string): void {
    const share = parseShareName(path.slice(path.lastIndexOf('/') + 1))
    if (share === undefined) return
    const name = shareName(share.storageIndex, share.shareNumber)
    this.#spoiltMs.set(name, this.#clock.monotonicMs())
    const entry = this.#entries.get(name)
    if (entry !== undefined) entry.spoilt = true
  }

  /** Names of shares that are there, and damaged. */
  spoiltNow(): string[] {
    return [...this.#entries].flatMap(([name, { spoilt }]) => {
      const bytes = this.#durable(name)
      return spoilt && bytes !== undefined && bytes.length > 0 ? [name] : []
    })
  }

  /** Whether a damaged share is still to be seen, in its place or set aside. */
  isKeptApart(name: string): boolean {
    if (this.#durable(name) !== undefined) return true
    const aside = this.#disk.image.find(`${storeRoot}/quarantine`)
    if (aside?.kind !== 'directory') return false
    return [...aside.live.keys()].some((each) => each.startsWith(`${name}.`))
  }

  /** The disk is another: nothing that was acknowledged need be there any more. */
  forget(): void {
    for (const entry of this.#entries.values()) entry.spoilt = true
  }

  /** Acknowledged shares that are no longer what they were. */
  audit(): string[] {
    return [...this.#entries].flatMap(([name, { storageIndex, bytes, spoilt }]) => {
      if (spoilt) return []
      const found = this.#durable(name)
      const isLive = this.#disk.image.find(pathOf(name)) !== undefined
      if (found === undefined || !isLive) {
        if (!this.#mayBeGone(storageIndex)) return [`${name} is gone`]
        this.#entries.delete(name)
        return []
      }
      return isSame(found, bytes) ? [] : [`${name} has changed`]
    })
  }

  /** Whether a share is there and good, or the medium has spoilt it. */
  has(storageIndex: StorageIndex, shareNumber: number): boolean {
    const name = shareName(storageIndex, shareNumber)
    if (this.#spoiltMs.has(name) || this.#entries.get(name)?.spoilt === true) return true
    const bytes = this.#durable(name)
    if (bytes === undefined) return false
    const known = this.#entries.get(name)?.bytes
    if (known !== undefined) return isSame(bytes, known)
    return wrongWith(storageIndex, shareNumber, bytes) === undefined
  }

  /** Share numbers of an object acknowledged by the time `byMs`, and those not spoilt alone if so asked. */
  numbers(storageIndex: StorageIndex, byMs: number, unspoiltOnly: boolean): number[] {
    return [...this.#entries.values()]
      .filter(({ sinceMs, spoilt }) => sinceMs <= byMs && !(spoilt && unspoiltOnly))
      .filter((entry) => equalBytes(entry.storageIndex, storageIndex))
      .map(({ shareNumber }) => shareNumber)
  }

  /** Share numbers of an object that are good and durable now, acknowledged or not. */
  found(storageIndex: StorageIndex, n: number): number[] {
    return Array.from({ length: n }, (_, shareNumber) => shareNumber).filter((shareNumber) => {
      const bytes = this.#durable(shareName(storageIndex, shareNumber))
      return bytes !== undefined && wrongWith(storageIndex, shareNumber, bytes) === undefined
    })
  }

  #durable(name: string): Uint8Array | undefined {
    return this.#disk.image.durableFile(pathOf(name))
  }
}

/** The disk keeps the very bytes of a file as long as nobody writes to it. */
function isSame(found: Uint8Array, known: Uint8Array): boolean {
  return found === known || equalBytes(found, known)
}

function pathOf(name: string): string {
  return `${storeRoot}/shares/${sharePrefix(name)}/${name}`
}

function wrongWith(
  storageIndex: StorageIndex,
  shareNumber: number,
  bytes: Uint8Array,
): string | undefined {
  try {
    const verifier = new ShareVerifier(storageIndex, shareNumber, bytes.length)
    verifier.push(bytes)
    verifier.finish()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
