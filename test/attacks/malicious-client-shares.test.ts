/** Clients that say what they like to a server on a disk. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { fromHex, utf8 } from '../../src/base/bytes.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { Budget } from '../../src/base/limit.ts'
import { connectStorage } from '../../src/node/connect-storage.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { frameStart } from '../../src/wire/frame.ts'
import { codeOf, statusOk } from '../../src/wire/status.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { flipped, getShare, heldBody, putObjectShare, refused } from '../suites/storage-peer.ts'
import { RawEnd, settle } from '../wire/raw-end.ts'
import { bombs } from './bombs.ts'

const clock = new SystemClock()
const object = makeObject()
const { storageIndex, shares } = object
const nonce = new Uint8Array(32)

/** A server on a folder of its own, asked over channels in memory. */
class Server {
  readonly root: string
  readonly budget = new Budget(2 ** 27)
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

  #channel() {
    const [near, far] = channelPair()
    this.#ends.push(() => near.abort(new Error('over')))
    this.#serving.push(serveStorage(this.#peer, far, { clock, budget: this.budget }))
    return near
  }
}

/** Where share `number` of `object` lies. */
function fileOf(number: number): string {
  const name = toBase32(storageIndex)
  return path.join('shares', name.slice(0, 2), `${name}.${number}`)
}

async function codeAt(client: RawEnd, id: number): Promise<string> {
  const [, , status] = await client.reply(id)
  return status === statusOk ? 'ok' : codeOf(status as number)
}

describe('malicious client, shares', () => {
  let root: string
  let server: Server

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-attack-'))
    server = new Server(path.join(root, 'deep', 'inside', 'storage'))
    await server.open()
  })

  afterEach(async () => {
    await server.close()
    await rm(root, { recursive: true })
  })

  for (const [name, head] of Object.entries(bombs)) {
    it(`client 8: ${name} in the head of a request is refused at once, and pollutes nothing`, async () => {
      const client = await server.raw()
      await client.hear(() => true)
      const before = process.memoryUsage().arrayBuffers
      const startMs = performance.now()
      await client.channel.send([frameStart(head)])
      assert.equal(await codeAt(client, 0), 'E_CBOR')
      assert.ok(performance.now() - startMs < 500)
      assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24)
      assert.equal(({} as Record<string, unknown>).polluted, undefined)
      assert.equal((await (await server.honest()).status()).shareCount, 0)
    })
  }

  it('client 7: a frame of 4 GiB is refused from its length, and a share of 17 MiB and a byte from its head', async () => {
    const client = await server.raw()
    await client.say([1, 1, 'putShare', [storageIndex, 0], 17 * 2 ** 20 + 1])
    assert.equal(await codeAt(client, 1), 'E_TOO_LARGE')
    await client.channel.send([fromHex('ffffffff0001')])
    assert.equal(await codeAt(client, 0), 'E_TOO_LARGE')
    assert.deepEqual(await server.files(), [])
  })

  const lengths: Record<string, [declared: number, sent: Uint8Array, codes: string[]]> = {
    'a byte more than declared': [shares[0].length - 1, shares[0], ['E_PROTOCOL', 'E_SHARE']],
    'a byte less than its header says': [
      shares[0].length - 1,
      shares[0].subarray(0, -1),
      ['E_SHARE'],
    ],
    'a byte more than its header says': [
      shares[0].length + 1,
      Uint8Array.of(...shares[0], 0),
      ['E_SHARE'],
    ],
    'no bytes': [0, new Uint8Array(0), ['E_SHARE']],
  }
  for (const [name, [declared, sent, codes]] of Object.entries(lengths)) {
    it(`client 11: a share of ${name} is refused, and nothing of it is left`, async () => {
      const client = await server.raw()
      await client.say([1, 1, 'putShare', [storageIndex, 0], declared])
      if (sent.length > 0) await client.say([3, 1], sent)
      const [, , status] = await client.hear(([kind, id]) => kind === 2 && (id === 1 || id === 0))
      assert.ok(codes.includes(codeOf(status as number)), codeOf(status as number))
      await server.close()
      assert.deepEqual(await server.files(), [])
    })
  }

  for (const length of [-1, 2 ** 53 - 1, '500', 2 ** 40]) {
    it(`client 11, T10: a share whose length is ${JSON.stringify(length)} is refused, and no file is made`, async () => {
      const client = await server.raw()
      await client.say([1, 1, 'putShare', [storageIndex, 0], length])
      const [, , status] = await client.hear(([kind]) => kind === 2)
      assert.ok(['E_TOO_LARGE', 'E_PROTOCOL'].includes(codeOf(status as number)))
      assert.deepEqual(await server.files(), [])
    })
  }

  it('client 12: other bytes for a share that is there change nothing, and the same bytes are fine', async () => {
    const peer = await server.honest()
    await putObjectShare(peer, object, 0)
    const file = path.join(server.root, fileOf(0))
    const before = await stat(file)
    for (const position of [0, 100, 600, shares[0].length - 1]) {
      const put = peer.putShare(storageIndex, 0, bodyOf(flipped(shares[0], position)))
      // a server that has the share needs no body, so it says `had` and looks at nothing
      assert.equal(await put.catch(() => 'refused'), 'had')
    }
    assert.equal(await putObjectShare(peer, object, 0), 'had')
    const after = await stat(file)
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs])
    assert.deepEqual(new Uint8Array(await readFile(file)), shares[0])
    assert.deepEqual(await server.files(), [fileOf(0)])
  })

  it('client 13: of two clients that put one share at once, one stores it and the other is told', async () => {
    const bodies = [heldBody(shares[0]), heldBody(shares[0])]
    const puts = await Promise.all(
      bodies.map(async (body) => {
        const peer = await server.honest()
        return { outcome: peer.putShare(storageIndex, 0, body) }
      }),
    )
    await Promise.all(bodies.map(({ reached }) => reached))
    for (const body of bodies) body.go()
    const outcomes = await Promise.all(puts.map(({ outcome }) => outcome))
    assert.deepEqual(outcomes.sort(), ['had', 'stored'])
    assert.deepEqual(await server.files(), [fileOf(0)])
  })

  it('client 13: what a client that went away has begun is removed, by the server or its next start', async () => {
    const gone = await server.raw()
    await gone.say([1, 1, 'putShare', [storageIndex, 0], shares[0].length])
    await gone.say([3, 1], shares[0].subarray(0, 100))
    while ((await server.files()).length === 0) await settle()
    const dead = new DiskStore({ disk: new SystemDisk(), root: server.root })
    const writer = await dead.create(storageIndex, 1, 10)
    await writer.write([new Uint8Array(5)])
    gone.channel.abort(new Error('gone'))
    await server.close()
    assert.equal((await server.files()).length, 1)
    await server.open()
    assert.deepEqual(await server.files(), [])
    await writer.abort()
  })

  const texts = ['../../../../x', '/etc/passwd', '..', '\0', 'x'.repeat(1000), 'ID7EQ4BJ', 'ⅹ‥/']
  it('client 14: a storage index that is a text, or of another length, is refused', async () => {
    const client = await server.raw()
    const wrong: CborValue[] = [
      ...texts,
      ...texts.map(utf8),
      toBase32(storageIndex),
      toBase32(storageIndex).toUpperCase(),
      new Uint8Array(0),
      new Uint8Array(19),
      new Uint8Array(21),
      -1,
      [storageIndex],
    ]
    let id = 0
    for (const index of wrong) {
      for (const [verb, args, bytes] of [
        ['have', [index], 0],
        ['putShare', [index, 0], 10],
        ['getBlocks', [index, 0, 1, 0, 1, 1000], 0],
        ['prove', [index, 0, nonce], 0],
      ] as const) {
        await client.say([1, ++id, verb, args, bytes])
        assert.equal(await codeAt(client, id), 'E_BAD_REQUEST', `${verb} ${String(index)}`)
      }
    }
    assert.deepEqual(await server.files(), [])
  })

  it('client 14: 20 bytes that read as a path make none, and no file outside the store', async () => {
    const indexes = [
      '../../../../../../..',
      '/etc/passwd\0\0\0\0\0\0\0\0\0',
      '....//....//....//..',
    ]
    const client = await server.raw()
    for (const [i, text] of indexes.entries()) {
      const index = utf8(text)
      assert.equal(index.length, 20)
      const [put, get] = [2 * i + 1, 2 * i + 2]
      await client.say([1, put, 'putShare', [index, 0], shares[0].length])
      await client.say([3, put], shares[0])
      assert.equal(await codeAt(client, put), 'E_DESCRIPTOR')
      await client.say([1, get, 'getBlocks', [index, 0, 1, 0, 1, 1000], 0])
      assert.equal(await codeAt(client, get), 'E_ABSENT')
    }
    assert.deepEqual(await readdir(path.join(root, 'deep', 'inside')), ['storage'])
    assert.deepEqual(await readdir(root), ['deep'])
    assert.deepEqual(await server.files(), [])
  })

  it('client 15: a share number of -2, 255, 256, 2^31, a text, bytes or a list is refused', async () => {
    const client = await server.raw()
    let id = 0
    for (const number of [-2, 255, 256, 2 ** 31, 2 ** 53 - 1, '1', Uint8Array.of(1), [1]]) {
      for (const [verb, args, bytes] of [
        ['putShare', [storageIndex, number], 10],
        ['getBlocks', [storageIndex, number, 1, 0, 1, 1000], 0],
        ['prove', [storageIndex, number, nonce], 0],
      ] as const) {
        await client.say([1, ++id, verb, args, bytes])
        assert.equal(await codeAt(client, id), 'E_BAD_REQUEST', `${verb} ${String(number)}`)
      }
    }
    // -1 asks for any share, and only where blocks are read
    await client.say([1, ++id, 'putShare', [storageIndex, -1], 10])
    assert.equal(await codeAt(client, id), 'E_BAD_REQUEST')
    await client.say([1, ++id, 'getBlocks', [storageIndex, -1, 1, 0, 1, 1000], 0])
    assert.equal(await codeAt(client, id), 'E_ABSENT')
    assert.deepEqual(await server.files(), [])
  })

  it('client 16, T5, T10: no range gives a byte that is not the share’s', async () => {
    const peer = await server.honest()
    await putObjectShare(peer, object, 0)
    await putObjectShare(peer, object, 1)
    const whole = await getShare(peer, storageIndex, 0)
    assert.deepEqual(whole, shares[0])
    const client = await server.raw()
    const numbers = [-1, 0, 1, 2, 127, 2 ** 31, 2 ** 32, 2 ** 53 - 1]
    let id = 0
    for (const first of numbers) {
      for (const count of numbers) {
        for (const most of [-1, 0, 2000, 2 ** 53 - 1]) {
          await client.say([1, ++id, 'getBlocks', [storageIndex, 0, 0, first, count, most], 0])
          const wrong = first < 0 || count < 0 || most < 0
          const blockBytes = first === 0 && count > 0 ? 683 : 0
          const code = wrong ? 'E_BAD_REQUEST' : blockBytes > most ? 'E_TOO_LARGE' : 'ok'
          const reply = await client.reply(id)
          const name = `${first} ${count} ${most}`
          assert.equal(await codeAt(client, id), code, name)
          if (code === 'ok') assert.equal(reply[4], blockBytes, name)
        }
      }
    }
  })

  it('client 16, T5: nothing that lies behind a share on the disk is given out', async () => {
    const peer = await server.honest()
    await putObjectShare(peer, object, 0)
    await appendFile(path.join(server.root, fileOf(0)), 'a secret of the server')
    await refused(getShare(peer, storageIndex, 0), 'E_IO')
    await refused(getShare(peer, storageIndex, undefined), 'E_IO')
  })

  it('client 30: unknown verbs and extra fields are refused, each by its code', async () => {
    const client = await server.raw()
    const wrong: [string, CborValue, string][] = [
      ['appendEntry', [], 'E_UNKNOWN_VERB'],
      ['__proto__', [], 'E_UNKNOWN_VERB'],
      ['constructor', [], 'E_UNKNOWN_VERB'],
      ['', [], 'E_UNKNOWN_VERB'],
      ['status', [0], 'E_BAD_REQUEST'],
      ['have', 'all', 'E_BAD_REQUEST'],
      ['prove', [storageIndex, 0, nonce, 0], 'E_BAD_REQUEST'],
      ['getBlocks', [storageIndex, 0, 1, 0, 1], 'E_BAD_REQUEST'],
    ]
    for (const [i, [verb, args, code]] of wrong.entries()) {
      await client.say([1, i + 1, verb, args, 0])
      assert.equal(await codeAt(client, i + 1), code, verb)
    }
    await client.say([1, 100, 'status', [], 0])
    assert.equal(await codeAt(client, 100), 'ok')
    await client.say([1, 101, 'status', [], 0, 'and more'])
    assert.equal(await codeAt(client, 0), 'E_PROTOCOL')
  })
})
