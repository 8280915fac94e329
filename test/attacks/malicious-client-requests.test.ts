/** Clients that ask for what is none of theirs, or is nothing. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { utf8 } from '../../src/base/bytes.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { makeObject } from '../suites/objects.ts'
import { getShare, putObjectShare, refused } from '../suites/storage-peer.ts'
import { AttackedServer, codeAt } from './attacked-server.ts'

const object = makeObject()
const { storageIndex, shares } = object
const nonce = new Uint8Array(32)

/** Where share `number` of `object` lies. */
function fileOf(number: number): string {
  const name = toBase32(storageIndex)
  return path.join('shares', name.slice(0, 2), `${name}.${number}`)
}

describe('malicious client, requests', () => {
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
