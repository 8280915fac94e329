/**
 * Every key derivation of the formats and its label, in one place (docs/specs/encoding.md, "Keys").
 *
 * Labels are domains: no two uses share one. `XP` is `expand`, `HMAC` is `hmac` of src/base/hash.ts.
 */
import { readU32be } from '../base/bytes.ts'
import { expand, hmac } from '../base/hash.ts'

export const keyBytes = 32

/** What a sealed stream holds: file bytes, a node of a large file, a node of a directory. */
export type StreamType = 'raw' | 'tree' | 'dir'
/** A node's second stream, which a verify key opens, has a type of its own. */
export type SealType = StreamType | 'treev' | 'dirv'

/** Labels of HKDF-Expand, by what they derive. */
export const labels = {
  raw: 'conv/raw',
  tree: 'conv/tree',
  dir: 'conv/dir',
  tag: 'conv/tag',
  pad: 'conv/pad',
  cdc: 'conv/cdc',
  readKey: 'readkey',
  verifyKey: 'verifykey',
  bundleCut: 'bundle-cut',
  nodeCut: 'cut',
  encryption: 'enc',
  commitment: 'commit/',
  gear: 'gear',
  prf: 'prf',
  embedded: 'embedded/',
  logRead: 'log/read',
  logVerify: 'log/verify',
  logAdminSign: 'log/admin-sign',
  logKem: 'log/kem',
  logConvergence: 'convergence/',
  logSeries: 'log/series',
} as const

/** Tags of `taggedHash`, by what they hash. */
export const tags = {
  block: 'block',
  share: 'share',
  ciphertextSegment: 'ct-seg',
  ciphertextList: 'ct-list',
  object: 'object',
  pad: 'pad',
  cap: 'cap',
  placement: 'placement',
  holdRecord: 'hold-record',
  logGenesis: 'log-genesis',
  logEntry: 'log-entry',
  logBody: 'log-body',
  sealAad: 'seal-aad',
  kit: 'kit',
  keyFile: 'key-file',
  inviteTicket: 'invite-ticket',
  inviteLink: 'invite-link',
  inviteWords: 'invite-words',
} as const

/** Sub-keys of a convergence secret. Equal content gives equal objects for those who share it. */
export interface ConvergenceKeys {
  raw: Uint8Array
  tree: Uint8Array
  dir: Uint8Array
  tag: Uint8Array
  pad: Uint8Array
  cdc: Uint8Array
}

/**
 * @param secret - 32 bytes, uniformly random
 * @throws RangeError for another length, or for all zeros: a secret that is none would let anyone
 *   confirm guesses about files
 */
export function convergenceKeys(secret: Uint8Array): ConvergenceKeys {
  if (secret.length !== keyBytes) throw new RangeError('convergence secret: expected 32 bytes')
  if (secret.every((byte) => byte === 0)) throw new RangeError('convergence secret: is all zeros')
  return {
    raw: expand(secret, labels.raw),
    tree: expand(secret, labels.tree),
    dir: expand(secret, labels.dir),
    tag: expand(secret, labels.tag),
    pad: expand(secret, labels.pad),
    cdc: expand(secret, labels.cdc),
  }
}

/**
 * The read key of a stream: derived from exactly the bytes that will be encrypted, so that no key
 * ever encrypts two plaintexts. A node's two streams are hashed end to end.
 */
export function readKeyOf(
  keys: ConvergenceKeys,
  type: StreamType,
  ...plaintext: readonly Uint8Array[]
): Uint8Array {
  return streamKeysOf(keys, type, ...plaintext).readKey
}

/** What a stream's plaintext says: its read key, and whether a bundle may end behind it. */
export interface StreamKeys {
  readKey: Uint8Array
  /** u of docs/specs/encoding.md, "Bundles": 0 … 2^32-1. */
  readonly cutValue: number
}

/** As `readKeyOf`, with the cut value that comes from the same secret digest. */
export function streamKeysOf(
  keys: ConvergenceKeys,
  type: StreamType,
  ...plaintext: readonly Uint8Array[]
): StreamKeys {
  const digest = hmac(keys[type], ...plaintext)
  return {
    readKey: expand(digest, labels.readKey),
    get cutValue() {
      return readU32be(expand(digest, labels.bundleCut), 0)
    },
  }
}

/** Bytes of a tag. */
export const tagBytes = 16

/** T of a plaintext: what a writer knows it by that has met it before. It leads to no key. */
export function tagOf({ tag }: ConvergenceKeys, plaintext: Uint8Array): Uint8Array {
  return hmac(tag, plaintext).slice(0, tagBytes)
}

/** The key that says after which names the nodes of a directory end. */
export function nodeCutKeyOf(keys: ConvergenceKeys): Uint8Array {
  return expand(keys.dir, labels.nodeCut)
}

/** The verify key of a tree or directory node; it does not lead back to the read key. */
export function verifyKeyOf(readKey: Uint8Array): Uint8Array {
  return expand(readKey, labels.verifyKey)
}

/** The AES-256 key of a stream. */
export function encryptionKeyOf(key: Uint8Array): Uint8Array {
  return expand(key, labels.encryption)
}

/** What binds a stream to its key and its type: the first 32 bytes of the sealed stream. */
export function commitmentOf(key: Uint8Array, type: SealType): Uint8Array {
  return expand(key, labels.commitment + type)
}

/** What reads a log, from the seed that administers it. */
export function logReadSeedOf(adminSeed: Uint8Array): Uint8Array {
  return expand(adminSeed, labels.logRead)
}

/** What verifies a log, from the seed that reads it. */
export function logVerifySeedOf(readSeed: Uint8Array): Uint8Array {
  return expand(readSeed, labels.logVerify)
}

/** Seed of the Ed25519 key that signs for a log's admin. */
export function logAdminSignSeedOf(adminSeed: Uint8Array): Uint8Array {
  return expand(adminSeed, labels.logAdminSign)
}

/** The X-Wing key that opens what is sealed to the holders of a log's read or verify seed. */
export function logKemSeedOf(roleSeed: Uint8Array): Uint8Array {
  return expand(roleSeed, labels.logKem)
}

/** The convergence secret of epoch `epoch` that a log's admin gives to its devices. */
export function logConvergenceSecretOf(adminSeed: Uint8Array, epoch: number): Uint8Array {
  return expand(adminSeed, `${labels.logConvergence}${epoch}`)
}

/** What a device tells the series of its snapshots apart by, for those who cannot read them. */
export function logSeriesKeyOf(deviceSeed: Uint8Array): Uint8Array {
  return expand(deviceSeed, labels.logSeries)
}

/** Seed of the key by which folder `index` of an embedded grid is called. */
export function embeddedSeedOf(identitySeed: Uint8Array, index: number): Uint8Array {
  return expand(identitySeed, `${labels.embedded}${index}`)
}
