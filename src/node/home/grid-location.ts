/**
 * How a grid is found, in one line that goes on paper: its introducers, or its servers, or the disks
 * of this machine (docs/specs/recovery-kit.md, "Where the grid is").
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { toBase32 } from '../../base/base32.ts'
import { utf8 } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { taggedHash } from '../../base/hash.ts'
import { parsePeerAddress } from '../../base/multiaddr.ts'
import type { PeerTarget } from '../../base/net.ts'
import { tags } from '../../caps/keys.ts'
import type { Config, Override } from './config.ts'

export interface GridLocation {
  /** Addresses with `/p2p/`, as in the config. */
  introducers: readonly string[]
  peers: readonly string[]
  /** Absolute directories; only where there is neither introducer nor server. */
  disks: readonly string[]
  /** Of the grid; `main` unless told. */
  name: string
  /** Whether announced addresses of private networks are believed. */
  allowPrivate: boolean
}

const mostIntroducers = 3
const mostPeers = 20
const mostDisks = 16
const checkLetters = 6
const defaultName = 'main'
const item = /\b(introducer|server|disk|grid)\s+((?:\/|file:|name:|private:)[^\s"'<>]{1,600})/gi
const checkAfter = /^[\s,;]*check\s+([a-z0-9]{6})(?![a-z0-9])/i

/**
 * How to find the grid of a home.
 *
 * @param storage - the directory of an embedded grid whose config names no disk
 */
export function locationOf({ grid, embedded }: Config, storage: string): GridLocation {
  const introducers = addressesOf(grid.introducers).slice(0, mostIntroducers)
  const peers = addressesOf(grid.peers).slice(0, mostPeers)
  const isEmbedded = introducers.length + peers.length === 0
  const folders = embedded.disks.length > 0 ? embedded.disks : [storage]
  const disks = isEmbedded ? folders.slice(0, mostDisks) : []
  return { introducers, peers, disks, name: grid.name, allowPrivate: grid.allowPrivate }
}

/** What the config of a home must say to find it. */
export function settingsOf(location: GridLocation, source: string): Override[] {
  const { introducers, peers, disks, name, allowPrivate } = location
  return [
    { path: 'grid.introducers', value: [...introducers], source },
    { path: 'grid.peers', value: [...peers], source },
    { path: 'embedded.disks', value: [...disks], source },
    { path: 'grid.name', value: name, source },
    { path: 'grid.allow_private', value: allowPrivate, source },
  ]
}

/** `introducer /dns4/… server /ip4/…`, or `disk file:///mnt/a disk file:///mnt/b`; without a check. */
export function itemsOf(location: GridLocation): string[] {
  const { introducers, peers, disks, name, allowPrivate } = location
  return [
    ...introducers.map((address) => `introducer ${plainAddress(address)}`),
    ...peers.map((address) => `server ${plainAddress(address)}`),
    ...disks.map((disk) => `disk ${pathToFileURL(disk).href}`),
    ...(name === defaultName ? [] : [`grid name:${encodeURIComponent(name)}`]),
    ...(allowPrivate ? ['grid private:yes'] : []),
  ]
}

/** The check of the items, which is written behind them. */
export function checkOfItems(items: readonly string[]): string {
  return toBase32(taggedHash(tags.kit, utf8(items.join(' ')))).slice(0, checkLetters)
}

export function formatLocation(location: GridLocation): string {
  const items = itemsOf(location)
  return `${items.join(' ')} check ${checkOfItems(items)}`
}

/**
 * The location in a text that may hold anything besides; undefined if it holds none. White space and
 * case do not matter but in a peer id and in a path.
 *
 * @returns also whether a check stood behind it, and was right
 * @throws E_USAGE for one whose check is wrong, or that holds something else than addresses
 */
export function readLocation(
  text: string,
): { location: GridLocation; isChecked: boolean } | undefined {
  const found = [...text.matchAll(item)].slice(0, mostIntroducers + mostPeers + mostDisks + 2)
  if (found.length === 0) return undefined
  const items = found.map(([, kind = '', value = '']) => ({ kind: kind.toLowerCase(), value }))
  const values = (wanted: string): string[] =>
    items.filter(({ kind }) => kind === wanted).map(({ value }) => value)
  const facts = values('grid')
  const name = facts.find((fact) => /^name:/i.test(fact))?.slice('name:'.length)
  const location: GridLocation = {
    introducers: values('introducer').map(checkedAddress),
    peers: values('server').map(checkedAddress),
    disks: values('disk').map(checkedPath),
    name: name === undefined ? defaultName : unescaped(name),
    allowPrivate: facts.some((fact) => /^private:yes$/i.test(fact)),
  }
  const end = found[found.length - 1]
  const [, check] = checkAfter.exec(text.slice(end.index + end[0].length)) ?? []
  if (check !== undefined && spoken(check) !== checkOfItems(itemsOf(location))) {
    throw wrong('a character of it, or of the check behind it, is wrong')
  }
  if (location.introducers.length + location.peers.length + location.disks.length === 0) {
    throw wrong('it names neither introducer nor server nor disk')
  }
  return { location, isChecked: check !== undefined }
}

/** Base32 as people type it from paper: no digit 0 or 1 is in it. */
export function spoken(letters: string): string {
  return letters.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')
}

function addressesOf(targets: readonly PeerTarget[]): string[] {
  return targets.flatMap(({ id, addresses }) => addresses.map((each) => `${each}/p2p/${id}`))
}

/** In lower case but for the peer id. */
function plainAddress(address: string): string {
  return address.replace(/^(.*\/p2p\/)/i, (before) => before.toLowerCase())
}

function checkedAddress(text: string): string {
  const address = plainAddress(text.replace(/(?<![,;.])[,;.]+$/, ''))
  if (parsePeerAddress(address) !== undefined) return address
  throw wrong('an address in it is not of the form /ip4/192.0.2.1/tcp/7780/p2p/12D3KooW…')
}

/** A path of this machine, as such or as a URL. */
function checkedPath(text: string): string {
  try {
    return text.startsWith('/') ? text : fileURLToPath(text)
  } catch {
    throw wrong('a disk in it is not of the form file:///mnt/disk')
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('the name of the grid in it is not readable')
  }
}

function wrong(why: string): GridError {
  return new GridError('E_USAGE', `the line that says where the grid is: ${why}`, {
    hint: 'compare it with the paper; letters of peer ids are large or small for a reason',
  })
}
