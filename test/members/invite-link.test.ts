import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import { taggedHash } from '../../src/base/hash.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { comparisonWords } from '../../src/members/comparison-words.ts'
import { formatInviteLink, parseInviteLink, ticketHashOf } from '../../src/members/invite-link.ts'
import { words } from '../../src/members/word-list.ts'
import { checkVector, type Operations, readVectors } from '../vectors/read.ts'
import { fromHex } from '../../src/base/bytes.ts'

const id = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(7)))
const other = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(8)))
const ticket = Uint8Array.from({ length: 16 }, (_, i) => i)
const addresses = [
  '/ip4/192.0.2.1/tcp/7780',
  '/ip6/2001:db8::1/tcp/7780',
  '/dns4/grid.example/tcp/1',
]
const refused = (error: unknown): boolean => isGridError(error, 'E_USAGE')

/** A link whose check is right, whatever else is wrong. */
function checked(body: string): string {
  return `${body}:${toBase32(taggedHash('invite-link', utf8(body))).slice(0, 6)}`
}

const operations: Operations = {
  'invite-link': ({ ticket, inviter, addresses }: Record<string, never>) =>
    formatInviteLink({ inviter: { id: inviter, addresses }, ticket: fromHex(ticket) }),
  'invite-words': ({ ticket, inviter, joiner }: Record<string, string>) =>
    comparisonWords(ticketHashOf(fromHex(ticket)), inviter, joiner),
}

describe('invite vectors', () => {
  for (const vector of readVectors('invite')) {
    it(vector.id, () => checkVector(vector, operations))
  }
})

describe('invite link', () => {
  const link = formatInviteLink({ inviter: { id, addresses }, ticket })

  it('reads as it was made, with any white space in it', () => {
    assert.deepEqual(parseInviteLink(link), { inviter: { id, addresses }, ticket })
    const broken = link.replace(/(.{20})/g, '$1\n  ')
    assert.deepEqual(parseInviteLink(` ${broken}\r\n`), { inviter: { id, addresses }, ticket })
  })

  it('is short enough to paste', () => {
    const one = formatInviteLink({ inviter: { id, addresses: addresses.slice(0, 1) }, ticket })
    assert.ok(one.length <= 125, one)
    assert.ok(link.length <= 200, link)
  })

  it('is refused with any one character changed or left out', () => {
    for (let at = 0; at < link.length; at++) {
      const changed = link[at] === 'a' ? 'b' : 'a'
      assert.throws(
        () => parseInviteLink(link.slice(0, at) + changed + link.slice(at + 1)),
        refused,
      )
      assert.throws(() => parseInviteLink(link.slice(0, at) + link.slice(at + 1)), refused)
    }
  })

  it('is refused with a right check and a wrong field', () => {
    const t = toBase32(ticket)
    for (const body of [
      `grid-invite:1::${id}:${t}`,
      `grid-invite:1:192.0.2.1:${id}:${t}`,
      `grid-invite:1:192.0.2.1/0:${id}:${t}`,
      `grid-invite:1:ip4/192.0.2.1/1:${id}:${t}`,
      `grid-invite:1:udp/192.0.2.1/1:${id}:${t}`,
      `grid-invite:1:192.0.2.1/1,192.0.2.1/2,192.0.2.1/3,192.0.2.1/4:${id}:${t}`,
      `grid-invite:1:192.0.2.1/1/2/3:${id}:${t}`,
      `grid-invite:1:192.0.2.1/1:${id.slice(1)}:${t}`,
      `grid-invite:1:192.0.2.1/1:${id}:${t.slice(1)}`,
      `grid-invite:1:192.0.2.1/1:${id}:${t.toUpperCase()}`,
      `grid-invite:2:192.0.2.1/1:${id}:${t}`,
      `grid-invite:1:192.0.2.1/1:${id}:${t}:more`,
      `grid:1:192.0.2.1/1:${id}:${t}`,
    ]) {
      assert.throws(() => parseInviteLink(checked(body)), refused, body)
    }
    assert.throws(() => parseInviteLink('x'.repeat(2000)), refused)
  })

  it('is total on garbage', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        assert.throws(() => parseInviteLink(text), refused)
        assert.throws(() => parseInviteLink(`grid-invite:1:${text}`), refused)
      }),
    )
  })

  it('is not made of what none may have', () => {
    const make = (given: readonly string[], bytes = ticket) =>
      formatInviteLink({ inviter: { id, addresses: given }, ticket: bytes })
    assert.throws(() => make([]), RangeError)
    assert.throws(() => make(['/ip4/1.2.3.4/tcp/0']), RangeError)
    assert.throws(() => make([...addresses, addresses[0]]), RangeError)
    assert.throws(() => make(addresses, ticket.subarray(1)), RangeError)
  })
})

describe('comparison words', () => {
  it('are drawn from 256, all different', () => {
    assert.equal(words.length, 256)
    assert.equal(new Set(words).size, 256)
    for (const word of words) assert.match(word, /^[a-z]{3,8}$/)
  })

  it('differ for another joiner, inviter or ticket', () => {
    const hash = ticketHashOf(ticket)
    const all = [
      comparisonWords(hash, id, other),
      comparisonWords(hash, other, id),
      comparisonWords(hash, id, id),
      comparisonWords(ticketHashOf(ticket.slice().reverse()), id, other),
    ]
    assert.equal(new Set(all).size, all.length)
    assert.match(all[0], /^\w+ \w+ \w+ \w+$/)
  })
})
