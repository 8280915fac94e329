import assert from 'node:assert/strict'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import { identityOf } from '../../../src/node/home/identity.ts'

describe('identity', () => {
  it('derives the public key of RFC 8032 §7.1, test 1', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
    assert.equal(toHex(identityOf(seed).publicKey), publicKey)
  })

  it('is the same peer to libp2p', async () => {
    for (const fill of [0, 1, 255]) {
      const seed = new Uint8Array(32).fill(fill)
      const key = await generateKeyPairFromSeed('Ed25519', seed)
      assert.equal(identityOf(seed).id, peerIdFromPrivateKey(key).toString())
    }
  })

  it('refuses a seed of another length', () => {
    assert.throws(() => identityOf(new Uint8Array(31)), RangeError)
  })
})
