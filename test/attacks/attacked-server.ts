/** A server on a disk, which clients may ask by hand or as they should. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { Budget } from '../../src/base/limit.ts'
import { connectStorage } from '../../src/node/peers/connect-storage.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { codeOf, statusOk } from '../../src/wire/status.ts'
import { RawEnd } from '../wire/raw-end.ts'

const clock = new SystemClock()

/** A server on a folder of its own, asked over channels in memory. */
export class AttackedServer {
  readonly root: string
  readonly budget: Budget = new Budget(2 ** 27)
  #peer!: LocalPeer
  readonly #serving: Promise<void>[] = []
  readonly #ends: (() => void)[] = []

  constructor(root: string) {
    this.root = root
  }

  async open(): Promise<void> {
    const store = new DiskStore({ disk: new SystemDisk(), root: this.root })
    await store.open()
    this.#peer = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0 })
  }

  /** A client that speaks frames by hand. */
  async raw(): Promise<RawEnd> {
    const client = new RawEnd(this.#channel())
    await client.hello()
    return client
  }

  /** A client as it should be. */
  async honest(): Promise<StoragePeer> {
    return (await connectStorage('server', this.#channel(), { clock })).peer
  }

  /** Every file under the root, but directories. */
  async files(): Promise<string[]> {
    const names = await readdir(this.root, { recursive: true, withFileTypes: true })
    return names
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(this.root, path.join(entry.parentPath, entry.name)))
      .sort()
  }

  /** Ends all channels and waits for what was under way. */
  async close(): Promise<void> {
    for (const end of this.#ends) end()
    await Promise.all(this.#serving)
    assert.equal(this.budget.free, this.budget.total)
  }

  #channel(): Channel {
    const [near, far] = channelPair()
    this.#ends.push(() => near.abort(new Error('over')))
    this.#serving.push(serveStorage(this.#peer, far, { clock, budget: this.budget }))
    return near
  }
}

/** What request `id` ended with: `ok`, or the code of an error. */
export async function codeAt(client: RawEnd, id: number): Promise<string> {
  const [, , status] = await client.reply(id)
  return status === statusOk ? 'ok' : codeOf(status as number)
}
