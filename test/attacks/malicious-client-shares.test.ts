/** Clients that put other shares than they should, and bombs. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { frameStart } from '../../src/wire/frame.ts'
import { codeOf } from '../../src/wire/status.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { flipped, heldBody, putObjectShare } from '../suites/storage-peer.ts'
import { settle } from '../wire/raw-end.ts'
import { AttackedServer, codeAt } from './attacked-server.ts'
import { bombs } from './bombs.ts'

const object = makeObject()
const { storageIndex, shares } = object
/** Where share `number` of `object` lies. */
function fileOf(number: number): string {
  const name = toBase32(storageIndex)
  return path.join('shares', name.slice(0, 2), `${name}.${number}`)
}

describe('malicious client, shares', () => {
  let root: string
  let server: AttackedServer

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-attack-'))
    server = new AttackedServer(path.join(root, 'deep', 'inside', 'storage'))
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
})
