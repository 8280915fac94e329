/** The vectors of docs/specs/encoding.md and share.md, made by another implementation (test/second/object.py). */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import {
  commitmentOf,
  convergenceKeys,
  encryptionKeyOf,
  readKeyOf,
  type SealType,
  type StreamType,
  verifyKeyOf,
} from '../../src/caps/keys.ts'
import { type Coding, storageIndexOf } from '../../src/encoding/descriptor.ts'
import {
  decodeSegments,
  type EncodedObject,
  encodeObject,
  pad,
  type ShareBlocks,
} from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength, padme } from '../../src/encoding/padme.ts'
import { decrypt, open, seal } from '../../src/encoding/seal.ts'
import { type ShareHeader } from '../../src/encoding/share.ts'
import { ShareVerifier } from '../../src/encoding/share-verifier.ts'
import { type Bulk, bytesOf, checkVector, readVectors, shown } from '../vectors/read.ts'

interface ObjectInput extends Coding {
  secret: string
  streams: { type: StreamType; data: Bulk }[]
}

/** A share, or how it follows from one of another case. */
type ShareInput =
  string | { of: string; number: number; edits?: [offset: number, hex: string][]; length?: number }

const cases = readVectors('object')
const code = openErasureCode()

function sealedContent({ secret, streams }: ObjectInput): {
  keys: Uint8Array[]
  content: Uint8Array
} {
  const sub = convergenceKeys(fromHex(secret))
  const sealed = streams.map(({ type, data }) => {
    const plaintext = bytesOf(data)
    const key = readKeyOf(sub, type, plaintext)
    return { key, stream: seal(type, key, plaintext) }
  })
  return {
    keys: sealed.map(({ key }) => key),
    content: concat(...sealed.map(({ stream }) => stream)),
  }
}

function padded(secret: string, content: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(paddedLength(content.length))
  buffer.set(content)
  pad(buffer, content.length, convergenceKeys(fromHex(secret)).pad)
  return buffer
}

function encode(given: ObjectInput): EncodedObject {
  const { content } = sealedContent(given)
  return encodeObject(padded(given.secret, content), given, code)
}

const encoded = new Map<string, Uint8Array[]>()

function sharesOf(id: string): Uint8Array[] {
  const known = encoded.get(id)
  if (known !== undefined) return known
  const { shares } = encode(cases.find((vector) => vector.id === id)?.in as unknown as ObjectInput)
  encoded.set(id, shares)
  return shares
}

function shareOf(input: ShareInput): Uint8Array {
  if (typeof input === 'string') return fromHex(input)
  const original = sharesOf(input.of)[input.number]
  const changed = original.slice()
  for (const [offset, hex] of input.edits ?? []) changed.set(fromHex(hex), offset)
  const share = new Uint8Array(input.length ?? changed.length)
  share.set(changed.subarray(0, share.length))
  return share
}

/** What a server does with a share that was sent to it in one piece. */
function accept(share: Uint8Array, storageIndex: string, shareNumber: number): ShareHeader {
  const verifier = new ShareVerifier(fromHex(storageIndex), shareNumber, share.length)
  verifier.push(share)
  verifier.finish()
  assert.ok(verifier.header)
  return verifier.header
}

const operations = {
  kdf({ secret, type, data }: { secret: string; type: StreamType; data: Bulk }) {
    const key = readKeyOf(convergenceKeys(fromHex(secret)), type, bytesOf(data))
    return {
      readKey: toHex(key),
      verifyKey: toHex(verifyKeyOf(key)),
      encryptionKey: toHex(encryptionKeyOf(key)),
      commitment: toHex(commitmentOf(key, type)),
    }
  },
  seal({ type, key, data }: { type: SealType; key: string; data: Bulk }) {
    return { sealed: shown(seal(type, fromHex(key), bytesOf(data))) }
  },
  'seal-open'({ type, key, sealed }: { type: SealType; key: string; sealed: string }) {
    return { data: shown(open(type, fromHex(key), fromHex(sealed))) }
  },
  'seal-range'({ key, offset, ciphertext }: { key: string; offset: number; ciphertext: string }) {
    return { data: shown(decrypt(fromHex(key), offset, fromHex(ciphertext))) }
  },
  padme({ length }: { length: number }) {
    return { padded: padme(length) }
  },
  pad({ secret, content }: { secret: string; content: Bulk }) {
    return { ciphertext: shown(padded(secret, bytesOf(content))) }
  },
  object(given: ObjectInput) {
    const { root, shares, ciphertextBytes } = encode(given)
    return {
      readKeys: sealedContent(given).keys.map(toHex),
      ciphertextBytes,
      root: toHex(root),
      storageIndex: toBase32(storageIndexOf(root)),
      shareBytes: shares[0].length,
      sharesSha256: toHex(sha256(...shares)),
    }
  },
  'share-parse'(given: { share: ShareInput; storageIndex: string; number: number }) {
    const share = shareOf(given.share)
    const { descriptor, root, layout } = accept(share, given.storageIndex, given.number)
    const { k, n, ciphertextBytes } = descriptor
    return {
      k,
      n,
      ciphertextBytes,
      root: toHex(root),
      blocks: layout.segmentCount,
      sha256: toHex(sha256(share)),
    }
  },
  'object-decode'(given: { storageIndex: string; shares: [number: number, share: ShareInput][] }) {
    const shares = given.shares.map(([number, input]): ShareBlocks => {
      const share = shareOf(input)
      const header = accept(share, given.storageIndex, number)
      return { header, blocks: share.subarray(header.layout.headerBytes) }
    })
    const { segmentCount } = shares[0].header.layout
    return { ciphertext: shown(decodeSegments(shares, 0, segmentCount, code)) }
  },
}

describe('object vectors', () => {
  for (const vector of cases) {
    it(vector.id, async () => {
      await checkVector(vector, operations)
    })
  }

  it('are negative in two of five or more', () => {
    assert.ok(cases.filter(({ error }) => error !== undefined).length >= cases.length * 0.4)
  })
})
