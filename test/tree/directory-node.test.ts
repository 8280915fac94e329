import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { verifyKeyOf } from '../../src/caps/keys.ts'
import { openDirectoryNode } from '../../src/tree/directory-node.ts'
import { sealNode } from '../../src/tree/node-slice.ts'
import { keys } from './entries.ts'

const key = sha256(utf8('key'))
const object: CborValue = [sha256(utf8('object')), 3, 10, 4096]
const child: CborValue = [1, 100, 200, verifyKeyOf(key)]
const self = {
  object: { root: sha256(utf8('self')), k: 3, n: 10, ciphertextBytes: 8192 },
  offset: 1000,
}

function row(parts: Partial<Record<'name' | 'kind' | 'mode' | 'seconds' | 'ns', CborValue>> = {}) {
  const { name = utf8('a'), kind = 0, mode = 0, seconds = 0, ns = 0 } = parts
  return (meta: CborValue = [], content: CborValue = new Uint8Array(0)): CborValue => [
    name,
    kind,
    mode,
    seconds,
    ns,
    meta,
    content,
  ]
}

/** What opening a node of these parts is refused with; undefined where it opens. */
function refusal(
  rows: CborValue,
  depth = 0,
  refs: CborValue = [1, [object], [child]],
): ErrorCode | undefined {
  const { slice, readKey } = sealNode(keys, 'dir', refs, [1, depth, rows])
  try {
    openDirectoryNode(slice, readKey, self)
    return undefined
  } catch (error) {
    assert.ok(isGridError(error), String(error))
    return error.code
  }
}

function entry(kind: number, content: CborValue, meta: CborValue = []): CborValue[] {
  return [row({ kind })(meta, content)]
}

function named(...names: (string | Uint8Array)[]): CborValue[] {
  return names.map((name) => row({ name: typeof name === 'string' ? utf8(name) : name })())
}

const empty = new Uint8Array(0)
const file: readonly CborValue[] = [1, 0, 100, key]

describe('directory node', () => {
  const accepted: Record<string, CborValue> = {
    'no entries': [],
    'names that only look dangerous': named('...', '.a', '\\', '__proto__', 'con', '~'),
    'a name that is no UTF-8': named(Uint8Array.of(0xc3, 0x28)),
    'a file to the end of its object': entry(1, [1, 4096 - 132, 100, key]),
    'a file in the object of the node': entry(1, [0, 868, 100, key]),
    'a directory in the object of the node': entry(3, [0, key]),
    'a file of a codec': entry(1, [...file, 1, 50]),
    'a file that compression made longer': entry(1, [...file, 1, 500]),
    'a device': entry(6, empty, [[7, [1, 2]]]),
    'all meta': entry(0, empty, [
      [1, 0],
      [2, 0],
      [3, 'u'],
      [4, 'g'],
      [5, [[utf8('n'), empty]]],
      [6, 0],
      [8, 1],
    ]),
  }
  for (const [name, rows] of Object.entries(accepted)) {
    it(`opens ${name}`, () => {
      assert.equal(refusal(rows), undefined)
    })
  }

  const refused: Record<string, CborValue> = {
    'an empty name': named(''),
    'the name .': named('.'),
    'the name ..': named('..'),
    'a slash': named('a/b'),
    'a zero': named('a\0'),
    'a name of 1,025 bytes': named('x'.repeat(1025)),
    'a name as text': [['a', 0, 0, 0, 0, [], empty]],
    'a name twice': named('a', 'a'),
    'names out of order': named('b', 'a'),
    'a prefix after what it begins': named('ab', 'a'),
    'more than 4,096 rows': named(
      ...Array.from({ length: 4097 }, (_, i) => String(i).padStart(4, '0')),
    ),
    'a row of six parts': [[utf8('a'), 0, 0, 0, 0, []]],
    'a row of eight parts': [[utf8('a'), 0, 0, 0, 0, [], empty, 0]],
    'kind 8': entry(8, empty),
    'a mode above 07777': [row({ mode: 0o10000 })()],
    'a negative mode': [row({ mode: -1 })()],
    'seconds out of range': [row({ seconds: 2 ** 52 + 1 })()],
    'a full second of nanoseconds': [row({ ns: 1_000_000_000 })()],
    'negative nanoseconds': [row({ ns: -1 })()],
    'a literal of 65 bytes': entry(0, new Uint8Array(65)),
    'a literal as text': entry(0, 'x'),
    'a file of nothing': entry(1, [1, 0, 0, key]),
    'a file past its object': entry(1, [1, 4096 - 131, 100, key]),
    'a file that reaches into its node': entry(1, [0, 869, 100, key]),
    'a file of object 2 of 1': entry(1, [2, 0, 100, key]),
    'a file of codec 2': entry(1, [...file, 2, 50]),
    'a file of codec 0, written out': entry(1, [...file, 0, 100]),
    'a file of 2^24 + 1 bytes': entry(1, [1, 0, 2 ** 24 + 1, key, 1, 50]),
    'a large file of nothing': entry(2, [0, 0, key]),
    'a large file without its child': entry(2, [1, 5, key]),
    'a directory with another key': entry(3, [0, sha256()]),
    'a directory without its child': entry(3, [1, key]),
    'a directory with a size': entry(3, [0, 5, key]),
    'a symbolic link to nothing': entry(4, empty),
    'a symbolic link with a zero': entry(4, utf8('a\0')),
    'a symbolic link of 65,536 bytes': entry(4, new Uint8Array(65_536).fill(97)),
    'a fifo with content': entry(5, utf8('x')),
    'a device without numbers': entry(7, empty),
    'numbers without a device': entry(0, empty, [[7, [1, 2]]]),
    'an unknown key': entry(0, empty, [[9, 1]]),
    'key 0': entry(0, empty, [[0, 1]]),
    'a key twice': entry(0, empty, [
      [1, 0],
      [1, 0],
    ]),
    'keys out of order': entry(0, empty, [
      [2, 0],
      [1, 0],
    ]),
    'a uid of 2^32': entry(0, empty, [[1, 2 ** 32]]),
    'an owner without a name': entry(0, empty, [[3, '']]),
    'an owner of 256 bytes': entry(0, empty, [[3, 'ö'.repeat(128)]]),
    'an owner as bytes': entry(0, empty, [[3, utf8('u')]]),
    'no attributes': entry(0, empty, [[5, []]]),
    'an attribute without a name': entry(0, empty, [[5, [[empty, empty]]]]),
    'attributes out of order': entry(0, empty, [
      [
        5,
        [
          [utf8('b'), empty],
          [utf8('a'), empty],
        ],
      ],
    ]),
    'an attribute twice': entry(0, empty, [
      [
        5,
        [
          [utf8('a'), empty],
          [utf8('a'), empty],
        ],
      ],
    ]),
    'fuzzy 0': entry(0, empty, [[8, 0]]),
  }
  for (const [name, rows] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      assert.equal(refusal(rows), 'E_NODE')
    })
  }

  it('refuses a child in its own object that does not end before it', () => {
    const at = (offset: number, length: number): CborValue => [
      1,
      [object],
      [[0, offset, length, verifyKeyOf(key)]],
    ]
    const rows = [[utf8('a'), 0, key]]
    assert.equal(refusal(rows, 1, at(800, 200)), undefined)
    for (const [offset, length] of [
      [800, 201],
      [1000, 0],
      [1000, 200],
      [7000, 200],
    ]) {
      const expected = length === 0 ? undefined : 'E_NODE'
      assert.equal(refusal(rows, 1, at(offset, length)), expected, `${offset}, ${length}`)
    }
  })

  it('refuses depths, and rows of the other kind', () => {
    const rows = [[utf8('a'), 0, key]]
    for (const depth of [1, 8]) assert.equal(refusal(rows, depth), undefined)
    for (const depth of [9, -1, 2 ** 32]) assert.equal(refusal(rows, depth), 'E_NODE')
    assert.equal(refusal(rows, 0), 'E_NODE')
    assert.equal(refusal(named('a'), 1), 'E_NODE')
    assert.equal(refusal([], 1), 'E_NODE')
    assert.equal(refusal([[utf8('a/b'), 0, key]], 1), 'E_NODE')
    assert.equal(
      refusal(
        [
          [utf8('a'), 0, key],
          [utf8('a'), 0, key],
        ],
        1,
      ),
      'E_NODE',
    )
  })

  it('refuses a bomb of arrays before it is built', () => {
    let deep: CborValue = []
    for (let i = 0; i < 500; i++) deep = [deep]
    assert.equal(refusal(deep), 'E_CBOR')
    assert.equal(refusal(new Array<CborValue>(2 ** 18).fill(0)), 'E_CBOR')
  })

  it('opens, or refuses with a code, whatever stands in it', () => {
    const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<CborValue>(0, 1, 7, 2 ** 24, -1, 'u', empty, key, utf8('a'), object, child),
        fc.array(tie('value'), { maxLength: 8 }),
      ),
    }))
    const anything = fc.oneof(value, fc.tuple(fc.constant(1), value, value))
    /** A good row with one part of it replaced. */
    const almost = fc
      .tuple(fc.nat(7), fc.nat(6), value)
      .map(([kind, at, part]) => (entry(kind, [0, key])[0] as CborValue[]).with(at, part))
    fc.assert(
      fc.property(fc.oneof(fc.array(almost, { maxLength: 3 }), value), anything, (rows, refs) => {
        for (const depth of [0, 1]) {
          for (const given of [undefined, refs]) {
            const code = refusal(rows, depth, given)
            assert.ok(code === undefined || code === 'E_NODE' || code === 'E_CBOR', code)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a node of a file', () => {
    const { slice, readKey } = sealNode(keys, 'tree', [1, [], []], [1, 0, []])
    assert.throws(
      () => openDirectoryNode(slice, readKey, self),
      (error) => isGridError(error, 'E_COMMIT'),
    )
  })
})
