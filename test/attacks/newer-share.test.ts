/** A server that was downgraded, with shares that a later version stored. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { getShare, putObjectShare, refused } from '../suites/storage-peer.ts'
import { AttackedServer } from './attacked-server.ts'

const { storageIndex, shares } = makeObject()
const object = makeObject()
/** Where a share has the suite of its descriptor. */
const suiteAt = 8 + 4

describe('a share of a later suite on the disk', () => {
  let root: string
  let server: AttackedServer
  let file: string

  beforeEach(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'grid-newer-'))
    server = new AttackedServer(root)
    await server.open()
    const name = toBase32(storageIndex)
    file = path.join(root, 'shares', name.slice(0, 2), `${name}.0`)
    await putObjectShare(await server.honest(), object, 0)
    const share = readFileSync(file)
    share[suiteAt] = 2
    share[suiteAt + 20] ^= 1
    writeFileSync(file, share)
  })

  afterEach(async () => {
    await server.close()
    rmSync(root, { recursive: true })
  })

  it('server 35: a share of a later suite on a disk is said to be newer, and stays as it is whatever comes', async () => {
    const before = readFileSync(file)
    const peer = await server.honest()
    await refused(getShare(peer, storageIndex, 0), 'E_VERSION')
    await refused(peer.putShare(storageIndex, 0, bodyOf(shares[0])), 'E_VERSION')
    assert.deepEqual(await peer.have([storageIndex]), [[0]])
    assert.equal((await peer.status()).shareCount, 1)
    await server.open()
    await refused(getShare(await server.honest(), storageIndex, 0), 'E_VERSION')
    assert.deepEqual(readFileSync(file), before)
    // others go on
    assert.equal(await putObjectShare(await server.honest(), object, 1), 'stored')
  })
})
