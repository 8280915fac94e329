/**
 * A node's settings: defaults, then `config.toml`, then `GRID_*` variables, then flags. A wrong one
 * stops the start with a line that says where it was set and what it should look like.
 */
import path from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { fromBase32 } from '../../base/base32.ts'
import { parseByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { parsePeerAddress } from '../../base/multiaddr.ts'
import type { PeerTarget } from '../../base/net.ts'
import type { MembershipMode } from '../../members/membership.ts'
import {
  checkSettings,
  defaultOf,
  type RedundancySettings,
  type SettingProblem,
  settingNames,
} from './config-schema.ts'
import type { Redundancy } from '../placement/placement.ts'

export interface Config {
  node: {
    nickname: string
    /** Multiaddrs to listen at, without /p2p. */
    listen: string[]
    /** Multiaddrs to tell others instead of those; empty to tell what is listened at. */
    announce: string[]
    /** Where joiners come in a grid with an outer wall, in the form of `listen`. */
    inviteListen: string[]
    /** What fails together with this node, such as a provider's name; empty when not said. */
    domain: string
  }
  grid: {
    name: string
    introducers: PeerTarget[]
    /** Storage servers known without an introducer. */
    peers: PeerTarget[]
    /** Whether announced addresses of loopback and private networks are believed. */
    allowPrivate: boolean
    membership: MembershipMode
    /** Peer ids of the members, of mode `list`. */
    members: string[]
    /** Public half of the key that signs certificates, 32 bytes; there in mode `signed`. */
    key: Uint8Array | undefined
    /** Absolute files, the first the secret that is dialled with; empty for none. */
    pskFiles: string[]
  }
  storage: {
    enabled: boolean
    /** Bytes to leave free on the disk; undefined to derive it from the disk's size. */
    reserveBytes: number | undefined
    readOnly: boolean
    /** Absolute. */
    directory: string
    /** How long what is put without an account is kept, from each renewal. */
    leaseDays: number
    /** How long what nobody holds any more is kept. */
    quarantineDays: number
  }
  client: {
    /** Undefined to choose by the number of servers. */
    redundancy: Redundancy | undefined
    convergence: 'account' | 'random'
  }
  embedded: {
    /** Absolute directories, one per disk; empty for one below the home. */
    disks: string[]
    redundancy: Redundancy | undefined
  }
  cache: {
    /** Which read keys a backup keeps on this machine for the next run: of what it saw last, or none. */
    keys: 'all' | 'none'
  }
}

/** A setting from outside the file, such as `storage.reserve` from `--reserve`. */
export interface Override {
  path: string
  value: unknown
  /** What to call it in a message. */
  source: string
}

const maxFileLength = 64 * 1024

/**
 * The configuration in `text`, the content of config.toml.
 *
 * @param overrides - later ones win over earlier ones, and all over the file
 * @param directory - what relative directories are relative to: the home
 * @throws E_CONFIG whose message is the first problem; all of them are in its facts
 */
export function parseConfig(
  text: string,
  overrides: readonly Override[],
  directory: string,
): Config {
  const table = parseTable(text)
  const sources = new Map<string, string>()
  for (const { path: setting, value, source } of overrides) {
    const [section = '', key = ''] = setting.split('.')
    const settings = (table[section] ??= {})
    if (!isTable(settings)) continue
    settings[key] = value
    sources.set(setting, source)
  }
  const checked = checkSettings(table)
  if (Array.isArray(checked)) throw configError(checked, sources)

  const { node, grid, storage, client, embedded, cache } = checked
  const absolute = (name: string): string => path.resolve(directory, name)
  return {
    node: {
      nickname: node.nickname,
      listen: node.listen,
      announce: node.announce,
      inviteListen: node.invite_listen,
      domain: node.domain,
    },
    grid: {
      name: grid.name,
      introducers: targetsOf(grid.introducers),
      peers: targetsOf(grid.peers),
      allowPrivate: grid.allow_private,
      membership: grid.membership,
      members: grid.members,
      key: grid.key === '' ? undefined : fromBase32(grid.key),
      pskFiles: grid.psk_files.map(absolute),
    },
    storage: {
      enabled: storage.enabled,
      reserveBytes: parseByteSize(storage.reserve),
      readOnly: storage.read_only,
      directory: absolute(storage.directory),
      leaseDays: storage.lease_days,
      quarantineDays: storage.quarantine_days,
    },
    client: { redundancy: redundancyOf(client), convergence: client.convergence },
    embedded: { disks: embedded.disks.map(absolute), redundancy: redundancyOf(embedded) },
    cache,
  }
}

/**
 * The settings among environment variables: `GRID_` and the path in capitals, the section `grid`
 * left out (`GRID_STORAGE_RESERVE`, `GRID_INTRODUCERS`); lists are separated by commas.
 */
export function environmentOverrides(
  env: Readonly<Record<string, string | undefined>>,
): Override[] {
  const overrides: Override[] = []
  for (const [section, key] of settingNames) {
    const words = section === 'grid' ? ['grid', key] : ['grid', section, key]
    const source = words.join('_').toUpperCase()
    const text = env[source]
    if (text === undefined) continue
    const value = fromText(text, defaultOf(section, key))
    overrides.push({ path: `${section}.${key}`, value, source })
  }
  return overrides
}

/** `text` in the type of the setting's default; left as it is where it does not fit, to be refused by name. */
function fromText(text: string, initial: unknown): unknown {
  if (Array.isArray(initial)) return text === '' ? [] : text.split(',')
  if (typeof initial === 'boolean') return { true: true, false: false }[text] ?? text
  if ((initial === undefined || typeof initial === 'number') && /^\d{1,9}$/.test(text))
    return Number(text)
  return text
}

function parseTable(text: string): Record<string, unknown> {
  if (text.length > maxFileLength) {
    throw new GridError('E_CONFIG', `config.toml: longer than ${maxFileLength} characters`)
  }
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [why = ''] = error.message.split('\n')
    const place = `line ${error.line}, column ${error.column}`
    throw new GridError('E_CONFIG', `config.toml: ${place}: ${why}`, { cause: error })
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function configError(problems: SettingProblem[], sources: Map<string, string>): GridError {
  const lines = problems.map(({ path: setting, message }) => {
    const source = sources.get(setting.replace(/\[\d+\]$/, ''))
    return `${source ?? `config.toml: ${setting}`}: ${message}`
  })
  return new GridError('E_CONFIG', lines[0], { facts: { problems: lines } })
}

/** One target per peer, in order, with all of its addresses. */
function targetsOf(texts: readonly string[]): PeerTarget[] {
  const addresses = new Map<string, string[]>()
  for (const text of texts) {
    const target = parsePeerAddress(text)!
    addresses.set(target.id, [...(addresses.get(target.id) ?? []), ...target.addresses])
  }
  return [...addresses].map(([id, list]) => ({ id, addresses: list }))
}

function redundancyOf({ k, happy, n }: RedundancySettings): Redundancy | undefined {
  return k === undefined || happy === undefined || n === undefined ? undefined : { k, happy, n }
}
