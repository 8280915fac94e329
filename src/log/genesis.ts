/**
 * The genesis of a log: its keys and first config, immutable; the log's id is its hash
 * (docs/specs/log.md, "Genesis").
 */
import { compareBytes } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { taggedHash } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import type { ChunkProfile } from '../encoding/encoder.ts'
import { kemPublicKeyBytes } from './x-wing.ts'
import { type LogConfig, maxLogServers, readConfig, toConfigValue } from './log-config.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf } from './shape.ts'

export interface Genesis {
  /** Ed25519, 32 bytes. */
  adminKey: Uint8Array
  /** X-Wing keys that bodies are sealed to, 1,216 bytes each. */
  readerKey: Uint8Array
  verifierKey: Uint8Array
  /** How files of this account are cut. */
  profile: ChunkProfile
  /** Number of the account's convergence secret. */
  convergenceEpoch: number
  /** Epoch 0. */
  config: LogConfig
  /** Wall time of the creator. */
  createdMs: number
}

const formatVersion = 1
const suite = 1
const profiles: readonly ChunkProfile[] = ['cdc', 'fixed']
export const maxGenesisBytes = 8192
const limits = { depth: 4, items: 16 + maxLogServers, bytes: maxGenesisBytes }

/** The bytes of `genesis`. Throws a RangeError for a field out of bounds. */
export function formatGenesis(genesis: Genesis): Uint8Array {
  const { adminKey, readerKey, verifierKey, profile, convergenceEpoch, config } = genesis
  const params = [profiles.indexOf(profile), convergenceEpoch, toConfigValue(config)]
  const head = [formatVersion, suite, adminKey, readerKey, verifierKey]
  const bytes = encodeCbor([...head, params, genesis.createdMs])
  try {
    decodeAs('E_GENESIS', 'genesis', bytes, limits, decodeGenesis)
  } catch (error) {
    throw new RangeError('genesis: a field is out of bounds', { cause: error })
  }
  return bytes
}

/** The id of the log that begins with these bytes, 32 bytes. */
export function logIdOf(genesis: Uint8Array): Uint8Array {
  return taggedHash(tags.logGenesis, genesis)
}

/** Reads a genesis. Throws E_GENESIS for a malformed one, or one that is not that of `logId`. */
export function readGenesis(bytes: Uint8Array, logId: Uint8Array): Genesis {
  if (bytes.length > maxGenesisBytes || compareBytes(logIdOf(bytes), logId) !== 0) {
    throw new GridError('E_GENESIS', 'the genesis is not that of this log')
  }
  return decodeAs('E_GENESIS', 'genesis', bytes, limits, decodeGenesis)
}

function decodeGenesis(value: CborValue): Genesis {
  const [version, suiteNumber, adminKey, readerKey, verifierKey, params, createdMs] = arrayOf(
    value,
    7,
    7,
  )
  demand(version === formatVersion, 'another version')
  if (suiteNumber !== suite) throw new GridError('E_VERSION', 'a log of an unknown suite')
  const [profile, convergenceEpoch, config] = arrayOf(params, 3, 3)
  const genesis = {
    adminKey: bytesOf(adminKey, publicKeyBytes),
    readerKey: bytesOf(readerKey, kemPublicKeyBytes),
    verifierKey: bytesOf(verifierKey, kemPublicKeyBytes),
    profile: profiles[integerOf(profile, 0, profiles.length - 1)],
    convergenceEpoch: integerOf(convergenceEpoch, 0),
    config: readConfig(config),
    createdMs: integerOf(createdMs, 0),
  }
  demand(genesis.config.epoch === 0, 'the first config is not of epoch 0')
  return genesis
}
