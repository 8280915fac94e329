import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import fc from 'fast-check'
import {
  checkLettersOf,
  formatKit,
  isWholeKit,
  kitLines,
  readKit,
  type RecoveryKit,
} from '../../src/backup/keys/recovery-kit.ts'
import { isGridError } from '../../src/base/errors.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import type { GridLocation } from '../../src/node/home/grid-location.ts'
import { identityOf } from '../../src/node/home/identity.ts'

const cap: CapOf<'LOG-Admin'> = {
  ...{ type: 'LOG-Admin', adminSeed: new Uint8Array(32).fill(0xa7) },
  logId: new Uint8Array(32).fill(0x3c),
}
const peer = identityOf(new Uint8Array(32).fill(5)).id
const nowhere = { introducers: [], peers: [], disks: [], name: 'main', allowPrivate: false }
const places: GridLocation[] = [
  { ...nowhere, introducers: [`/dns4/intro.example/tcp/7781/p2p/${peer}`] },
  {
    ...nowhere,
    peers: [`/ip4/192.0.2.1/tcp/7780/p2p/${peer}`, `/ip6/2001:db8::1/tcp/7780/p2p/${peer}`],
    ...{ name: 'Gitter № 2', allowPrivate: true },
  },
  { ...nowhere, disks: ['/mnt/a', '/mnt/Disk of Ann/x', '/mnt/ä"<'] },
]
const kits: RecoveryKit[] = places.map((location) => ({ cap, location }))
const printed = (kit: RecoveryKit): string =>
  formatKit({ ...kit, logName: 'backup', host: 'attic', dateMs: Date.UTC(2026, 10, 25) })

function refusal(text: string): string {
  try {
    readKit(text)
  } catch (error) {
    assert.ok(isGridError(error), String(error))
    const told = `${error.message} ${error.hint ?? ''} ${JSON.stringify(error.facts)}`
    assert.doesNotMatch(told, /[a-z2-7]{20}/, 'quotes nothing')
    return error.message
  }
  return ''
}

describe('recovery kit', () => {
  for (const kit of kits) {
    const [{ introducers, peers }] = [kit.location]
    const kind = introducers.length > 0 ? 'introducer' : peers.length > 0 ? 'servers' : 'disks'
    it(`is read as it was printed, with ${kind}`, () => {
      assert.deepEqual(readKit(printed(kit)), kit)
      assert.deepEqual(readKit(kitLines(kit).join('\n')), kit)
      assert.deepEqual(readKit(kitLines(kit).reverse().join('\n')), kit)
    })
  }

  it('says what it is, when it is from, and fits on paper', () => {
    const text = printed(kits[0])
    assert.match(text, /^GRID RECOVERY KIT {3}2026-11-25\n/)
    assert.match(text, /grid recover\n/)
    const lines = text.split('\n').filter((line) => !line.includes('/p2p/'))
    for (const line of lines) assert.ok(line.length <= 80, line)
    assert.ok(text.endsWith(` check ${/check (\S+)$/.exec(kitLines(kits[0])[1])![1]}`))
    assert.ok(kitLines(kits[0])[0].endsWith(checkLettersOf(cap)))
  })

  it('does not mind how it was typed', () => {
    const [first, second] = kitLines(kits[0])
    const typed = first.toUpperCase().replaceAll('O', '0').replaceAll('L0G', 'LOG')
    const broken = typed.replace(/.{17}/g, '$&\r\n \t')
    assert.deepEqual(readKit(`my grid:\n${broken}\n\nand ${second}\n-- \nAnn`), kits[0])
    const loud = second.replace(/\/dns4\/.*\/p2p\//, (before) => before.toUpperCase())
    assert.deepEqual(readKit(`INTRODUCER${loud.slice('introducer'.length)} ${first}`), kits[0])
    assert.deepEqual(readKit(`${first}\n${second.replace(/ check .*/, '')}`), kits[0])
  })

  it('knows when both lines are whole', () => {
    const whole = kitLines(kits[0]).join('\n')
    assert.ok(isWholeKit(whole))
    for (let length = 0; length < whole.length; length++) {
      assert.equal(isWholeKit(whole.slice(0, length)), false, whole.slice(0, length))
    }
  })

  it('is read from a read cap too', () => {
    const kit = { cap: attenuate(cap, 'LOG-Read'), location: places[2] }
    assert.deepEqual(readKit(printed(kit)), kit)
  })

  it('says which line is wrong, and how, and quotes nothing', () => {
    const [first, second] = kitLines(kits[0])
    const at = first.indexOf(':', 5) + 10
    const other = first[at] === 'a' ? 'b' : 'a'
    const mistyped = `${first.slice(0, at)}${other}${first.slice(at + 1)}`
    assert.match(refusal(`${mistyped}\n${second}`), /^line 1 of the kit.*a character/)
    const short = first.slice(0, at) + first.slice(at + 1)
    assert.match(refusal(`${short}\n${second}`), /^line 1 .*first group .* 51 letters, and 52/)
    assert.match(refusal(first.slice(0, -30)), /^line 1 .*second group/)
    assert.match(refusal(first.slice(0, -1)), /^line 1 .*third group/)
    const wrongId = second.replace(/(?<=p2p\/12D3Koo.{10})./, (c) => (c === 'x' ? 'y' : 'x'))
    assert.match(refusal(`${first}\n${wrongId}`), /where the grid is/)
    const wrongPort = second.replace('7781', '7731')
    assert.match(refusal(`${first}\n${wrongPort}`), /where the grid is: a character/)
    assert.match(refusal(second), /lacks the line with the cap/)
    assert.match(refusal(first), /lacks the line that says where/)
    assert.match(refusal(`${first}\ngrid name:x`), /neither introducer nor server nor disk/)
    assert.match(refusal(`${first}\ndisk file://%zz`), /disk in it/)
    assert.match(refusal(''), /lacks/)
    assert.match(refusal('x'.repeat(70_000)), /at most/)
  })

  it('is refused, never broken, by any text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom(
        ...kitLines(kits[0]),
        'URI:LOG-Admin:',
        'introducer /',
        'disk file:',
        'check ',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          readKit(pieces.join(' '))
        } catch (error) {
          assert.ok(isGridError(error), String(error))
        }
      }),
    )
  })
})
