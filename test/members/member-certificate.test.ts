import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import {
  maxMemberCertificateBytes,
  readMemberCertificate,
  signMemberCertificate,
} from '../../src/members/member-certificate.ts'
import {
  maxRevocationBytes,
  readRevocationList,
  signRevocationList,
} from '../../src/members/revocation-list.ts'
import { checkVector, type Operations, readVectors } from '../vectors/read.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'

const gridSeed = Uint8Array.from({ length: 32 }, (_, i) => i)
const gridId = publicKeyOfSeed(gridSeed)
const publicKey = publicKeyOfSeed(new Uint8Array(32).fill(7))
const member = { kindBits: 3, publicKey, quotaBytes: 2 ** 40, notAfterMs: 2e12, serial: 9 }
const refused = (error: unknown): boolean => isGridError(error, 'E_CERTIFICATE')

const operations: Operations = {
  'member-certificate': ({ gridId, bytes }: { gridId: string; bytes: string }) => {
    const read = readMemberCertificate(fromHex(bytes), fromHex(gridId))
    return { ...read, gridId: toHex(read.gridId), publicKey: toHex(read.publicKey) }
  },
  'sign-member': ({ seed, publicKey, ...rest }: { seed: string; publicKey: string }) => {
    const certificate = { ...(rest as unknown as typeof member), publicKey: fromHex(publicKey) }
    return toHex(signMemberCertificate(certificate, fromHex(seed)))
  },
  'revocation-list': ({ gridId, bytes }: { gridId: string; bytes: string }) => {
    const { seq, serials } = readRevocationList(fromHex(bytes), fromHex(gridId))
    return { seq, serials }
  },
  'sign-revocations': ({ seed, ...list }: { seed: string; seq: number; serials: number[] }) =>
    toHex(signRevocationList(list, fromHex(seed))),
}

describe('membership vectors', () => {
  for (const vector of readVectors('membership')) {
    it(vector.id, () => checkVector(vector, operations))
  }
})

describe('member certificate', () => {
  it('reads as it was signed, and is short', () => {
    const bytes = signMemberCertificate(member, gridSeed)
    assert.deepEqual(readMemberCertificate(bytes, gridId), { gridId, ...member })
    const top = Number.MAX_SAFE_INTEGER
    const longest = { ...member, quotaBytes: top, notAfterMs: top, serial: top }
    assert.ok(signMemberCertificate(longest, gridSeed).length <= maxMemberCertificateBytes)
  })

  it('is refused with a bit of any one byte changed, and cut short anywhere', () => {
    const bytes = signMemberCertificate(member, gridSeed)
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] ^= 1 << (at & 7)
      assert.throws(() => readMemberCertificate(changed, gridId), refused, `byte ${at}`)
      assert.throws(() => readMemberCertificate(bytes.subarray(0, at), gridId), refused)
    }
  })

  it('is refused by another grid', () => {
    const other = publicKeyOfSeed(new Uint8Array(32).fill(1))
    const bytes = signMemberCertificate(member, gridSeed)
    assert.throws(() => readMemberCertificate(bytes, other), refused)
  })

  it('is not signed with a field out of bounds', () => {
    for (const wrong of [{ kindBits: 4 }, { kindBits: 0 }, { quotaBytes: -1 }, { serial: 0 }]) {
      assert.throws(() => signMemberCertificate({ ...member, ...wrong }, gridSeed), RangeError)
    }
  })

  it('is total on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.throws(() => readMemberCertificate(bytes, gridId), refused)
        assert.throws(() => readRevocationList(bytes, gridId), refused)
      }),
    )
  })
})

describe('revocation list', () => {
  it('reads as it was signed, up to 4,000 serials', () => {
    const serials = Array.from({ length: 4_000 }, (_, i) => Number.MAX_SAFE_INTEGER - 4_000 + i)
    const bytes = signRevocationList({ seq: 3, serials }, gridSeed)
    assert.ok(bytes.length <= maxRevocationBytes)
    assert.deepEqual(readRevocationList(bytes, gridId), { gridId, seq: 3, serials })
  })

  it('is not signed with serials that do not ascend, or too many', () => {
    for (const serials of [[2, 1], [1, 1], [0], Array.from({ length: 4_001 }, (_, i) => i + 1)]) {
      assert.throws(() => signRevocationList({ seq: 1, serials }, gridSeed), RangeError)
    }
  })

  it('is refused with a bit of any one byte changed', () => {
    const bytes = signRevocationList({ seq: 1, serials: [4, 7] }, gridSeed)
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] ^= 1 << (at & 7)
      assert.throws(() => readRevocationList(changed, gridId), refused, `byte ${at}`)
    }
  })
})
