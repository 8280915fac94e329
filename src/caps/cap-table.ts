/**
 * The table of all types of cap (docs/specs/caps.md, "Types"): everything that text, compact form
 * and display know about a type stands here once. Order of fields and codes are frozen.
 */
import type { Cap, CapOf, CapType } from './cap.ts'
import { type Field, integer, key, literal, optionalKey } from './field.ts'
import { wrongField } from './refusal.ts'

/** What the holder of a cap may do. */
export type CapRight = 'read' | 'verify' | 'append' | 'prune' | 'administer'

type Fields<C extends Cap> = { readonly [F in Exclude<keyof C, 'type'>]: Field<C[F]> }

interface CapRow<C extends Cap> {
  /** First byte of the compact form. */
  readonly code: number
  readonly rights: readonly CapRight[]
  /** In the order in which both forms write them. */
  readonly fields: Fields<C>
  /** What binds fields to each other: the label of one that breaks it and what was expected. */
  readonly rule?: (cap: C) => readonly [label: string, expected: string] | undefined
}

const maxObjectBytes = 2 ** 24
const commitBytes = 32
/** Two commitments begin a node's slice. */
const minSliceBytes = 2 * commitBytes

const readKey = key('read key')
const root = key('root')
const logId = key('log id')
const verifySeed = key('verify key')
const k = integer('k', 1, 255, 1)
const n = integer('n', 1, 255, 1)
const fileSize = integer('size', 0, Number.MAX_SAFE_INTEGER, 8)
const streamSize = integer('size', 0, maxObjectBytes, 8)
const offset = integer('offset', 0, maxObjectBytes - commitBytes, 8)
const slice = integer('length', minSliceBytes, maxObjectBytes, 8)
const stored = integer('stored length', 0, maxObjectBytes - commitBytes, 8)
const codec = integer('codec', 0, 1, 1)

export const capTable: { readonly [T in CapType]: CapRow<CapOf<T>> } = {
  CHK: {
    code: 1,
    rights: ['read', 'verify'],
    fields: { readKey, root, k, n, sizeBytes: fileSize },
    rule: shares,
  },
  'CHK-Slice': {
    code: 2,
    rights: ['read', 'verify'],
    fields: {
      readKey,
      root,
      k,
      n,
      sizeBytes: streamSize,
      offsetBytes: offset,
      codec,
      storedBytes: stored,
    },
    rule: (cap) =>
      shares(cap) ??
      inside(cap.offsetBytes, commitBytes + cap.storedBytes) ??
      (cap.codec === 0 && cap.storedBytes !== cap.sizeBytes
        ? ['stored length', 'the size, as nothing is compressed']
        : undefined),
  },
  'CHK-Verifier': {
    code: 3,
    rights: ['verify'],
    fields: { verifyKey: optionalKey('verify key'), root, k, n, offsetBytes: offset },
    rule: (cap) =>
      shares(cap) ??
      (cap.verifyKey === undefined && cap.offsetBytes !== 0
        ? ['offset', '0, as there is no verify key']
        : undefined),
  },
  LIT: { code: 4, rights: ['read'], fields: { data: literal('data', 64) } },
  'DIR-CHK': {
    code: 5,
    rights: ['read', 'verify'],
    fields: { readKey, root, k, n, sliceBytes: slice, offsetBytes: offset },
    rule: (cap) => shares(cap) ?? inside(cap.offsetBytes, cap.sliceBytes),
  },
  'DIR-CHK-Verifier': {
    code: 6,
    rights: ['verify'],
    fields: { verifyKey: verifySeed, root, k, n, offsetBytes: offset },
    rule: shares,
  },
  'LOG-Admin': {
    code: 7,
    rights: ['administer', 'read', 'verify'],
    fields: { adminSeed: key('admin key'), logId },
  },
  'LOG-Read': { code: 8, rights: ['read', 'verify'], fields: { readSeed: readKey, logId } },
  'LOG-Verify': { code: 9, rights: ['verify'], fields: { verifySeed, logId } },
  'LOG-Append': {
    code: 10,
    rights: ['append'],
    fields: {
      deviceSeed: key('device key'),
      convergenceSecret: optionalKey('convergence secret'),
      logId,
    },
  },
  'LOG-Prune': {
    code: 11,
    rights: ['prune', 'verify'],
    fields: { pruneSeed: key('prune key'), verifySeed, logId },
  },
}

/** Every type, spelled as in text. */
export const capTypes: readonly CapType[] = Object.keys(capTable) as CapType[]

/** The fields of `type` in order, for code that treats all types alike. */
export function fieldsOf(type: CapType): readonly Field<unknown>[] {
  return Object.values(capTable[type].fields)
}

/** The values of `cap` in the order of `fieldsOf`. Throws a RangeError if they break the type's rule. */
export function valuesOf(cap: Cap): readonly unknown[] {
  const broken = brokenRule(cap)
  if (broken !== undefined) throw new RangeError(`${broken[0]}: expected ${broken[1]}`)
  const values = new Map<string, unknown>(Object.entries(cap))
  return Object.keys(capTable[cap.type].fields).map((name) => values.get(name))
}

/** The inverse of `valuesOf`. Throws E_CAP_FIELD if the values break the type's rule. */
export function capOf(type: CapType, values: readonly unknown[]): Cap {
  const names = Object.keys(capTable[type].fields)
  const fields = Object.fromEntries(names.map((name, i) => [name, values[i]]))
  const cap = { type, ...fields } as Cap
  const broken = brokenRule(cap)
  if (broken !== undefined) throw wrongField(...broken)
  return cap
}

function brokenRule(cap: Cap): readonly [label: string, expected: string] | undefined {
  const row = capTable[cap.type] as CapRow<Cap>
  return row.rule?.(cap)
}

function shares(cap: { k: number; n: number }): [string, string] | undefined {
  return cap.k <= cap.n ? undefined : ['k', 'at most n']
}

function inside(offsetBytes: number, lengthBytes: number): [string, string] | undefined {
  return offsetBytes + lengthBytes <= maxObjectBytes
    ? undefined
    : ['offset', 'a slice that ends within the object']
}
