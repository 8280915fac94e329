/**
 * Which servers keep a log, by epoch, and how many of them are enough (docs/specs/log.md,
 * "Servers and quorums").
 */
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf, isAscending } from './shape.ts'

export interface LogConfig {
  /** 0 in the genesis; each later config has the next. */
  epoch: number
  /** Ed25519 public keys of the servers, ascending, 1 … 32. */
  servers: readonly Uint8Array[]
}

export const maxLogServers = 32
const limits = { depth: 3, items: 5 + maxLogServers, bytes: 2048 }

/** How many of `serverCount` servers may lie without harm: the most f with 3f < n. */
export function maxLiars(serverCount: number): number {
  return Math.floor((serverCount - 1) / 3)
}

/** How many make a quorum: any two share f + 1, so an honest one, and n - f are always enough. */
export function quorumOf(serverCount: number): number {
  return Math.ceil((serverCount + maxLiars(serverCount) + 1) / 2)
}

/** As it stands in a genesis and in a config entry. */
export function toConfigValue({ epoch, servers }: LogConfig): CborValue {
  return [epoch, [...servers]]
}

/** The inverse of `toConfigValue`, within `decodeAs`. */
export function readConfig(value: CborValue): LogConfig {
  const [epoch, list] = arrayOf(value, 2, 2)
  const servers = arrayOf(list, 1, maxLogServers).map((key) => bytesOf(key, publicKeyBytes))
  demand(isAscending(servers), 'servers out of order')
  return { epoch: integerOf(epoch, 0), servers }
}

/** The body of a config entry. */
export function formatConfigBody(config: LogConfig): Uint8Array {
  return encodeCbor([1, toConfigValue(config)])
}

/** Throws E_ENTRY. */
export function readConfigBody(body: Uint8Array): LogConfig {
  return decodeAs('E_ENTRY', 'config', body, limits, (value) => {
    const [version, config] = arrayOf(value, 2, 2)
    demand(version === 1, 'another version')
    return readConfig(config)
  })
}
