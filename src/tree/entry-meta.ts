/**
 * What a directory knows of a file beyond kind, mode, time and content (docs/specs/directory.md,
 * "Meta"): pairs of a key and a value, keys ascending, each only where there is something to say.
 */
import { compareBytes, utf8Length } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import { asArray, asBytes, asInteger, malformedNode } from './refs.ts'

export interface ExtendedAttribute {
  /** 1 … 255 bytes. */
  name: Uint8Array
  value: Uint8Array
}

export interface EntryMeta {
  /** 0 … 2^32-1, as are `gid` and the numbers of a device. */
  uid?: number
  gid?: number
  /** Names of user and group, at most 255 bytes of UTF-8. */
  owner?: string
  group?: string
  /** Ascending by name; ACLs and capabilities are among them. At least one if present. */
  xattrs?: readonly ExtendedAttribute[]
  /** Entries of one snapshot with the same number are hard links of one file. */
  hardLink?: number
  /** Of a device, and of nothing else. */
  device?: { major: number; minor: number }
  /** The file changed while it was read. */
  fuzzy?: true
}

const maxId = 2 ** 32 - 1
export const maxOwnerBytes = 255
export const maxXattrNameBytes = 255

/** Numbers of the pairs: append-only. */
const keys = {
  uid: 1,
  gid: 2,
  owner: 3,
  group: 4,
  xattrs: 5,
  hardLink: 6,
  device: 7,
  fuzzy: 8,
} as const

export function formatMeta(meta: EntryMeta): CborValue {
  const pairs: CborValue[] = []
  const { uid, gid, owner, group, xattrs, hardLink, device, fuzzy } = meta
  if (uid !== undefined) pairs.push([keys.uid, uid])
  if (gid !== undefined) pairs.push([keys.gid, gid])
  if (owner !== undefined) pairs.push([keys.owner, owner])
  if (group !== undefined) pairs.push([keys.group, group])
  if (xattrs !== undefined)
    pairs.push([keys.xattrs, xattrs.map(({ name, value }) => [name, value])])
  if (hardLink !== undefined) pairs.push([keys.hardLink, hardLink])
  if (device !== undefined) pairs.push([keys.device, [device.major, device.minor]])
  if (fuzzy !== undefined) pairs.push([keys.fuzzy, 1])
  return pairs
}

/** Throws E_NODE for an unknown key, an order that is not ascending, a value out of range. */
export function parseMeta(value: CborValue | undefined): EntryMeta {
  const meta: EntryMeta = {}
  let last = 0
  for (const pair of asArray(value)) {
    const [number, content] = asArray(pair, 2)
    const key = asInteger(number, last + 1, keys.fuzzy)
    setPair(meta, key, content)
    last = key
  }
  return meta
}

function setPair(meta: EntryMeta, key: number, value: CborValue): void {
  switch (key) {
    case keys.uid:
      meta.uid = asInteger(value, 0, maxId)
      return
    case keys.gid:
      meta.gid = asInteger(value, 0, maxId)
      return
    case keys.owner:
      meta.owner = asOwner(value)
      return
    case keys.group:
      meta.group = asOwner(value)
      return
    case keys.xattrs:
      meta.xattrs = parseXattrs(value)
      return
    case keys.hardLink:
      meta.hardLink = asInteger(value, 0, Number.MAX_SAFE_INTEGER)
      return
    case keys.device: {
      const [major, minor] = asArray(value, 2)
      meta.device = { major: asInteger(major, 0, maxId), minor: asInteger(minor, 0, maxId) }
      return
    }
    default:
      asInteger(value, 1, 1)
      meta.fuzzy = true
  }
}

function parseXattrs(value: CborValue): ExtendedAttribute[] {
  const xattrs = asArray(value).map((pair) => {
    const [name, content] = asArray(pair, 2)
    return {
      name: asBytes(name, 1, maxXattrNameBytes),
      value: asBytes(content, 0, Number.MAX_SAFE_INTEGER),
    }
  })
  if (xattrs.length === 0) throw malformedNode('no extended attributes where some belong')
  for (let i = 1; i < xattrs.length; i++) {
    if (compareBytes(xattrs[i - 1].name, xattrs[i].name) >= 0)
      throw malformedNode('extended attributes out of order')
  }
  return xattrs
}

function asOwner(value: CborValue): string {
  if (typeof value !== 'string' || value === '' || utf8Length(value) > maxOwnerBytes)
    throw malformedNode('an owner that is no name')
  return value
}
