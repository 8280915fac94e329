/** What the init commands share: options that become settings, and the making of a home from them. */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { publicKeyOfSeed, seedBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { pskBytes } from '../members/invite-protocol.ts'
import { configText } from '../node/home/config-file.ts'
import { type Override, parseConfig } from '../node/home/config.ts'
import { freshSecrets, initHome, type Secrets } from '../node/home/home.ts'
import { type Identity, identityOf } from '../node/home/identity.ts'
import type { Context } from './command.ts'
import { choice, flag, type Flag, list, type List, text, type Value } from './option.ts'

export const clientOptions: {
  nickname: Value<string>
  introducer: List<string>
  peer: List<string>
} = {
  nickname: text('--nickname <NAME>', 'what others see this node called'),
  introducer: list('--introducer <ADDRESS>', 'who knows the other nodes; may be repeated'),
  peer: list('--peer <ADDRESS>', 'a storage server to use; may be repeated'),
}

export const listenOptions: { listen: List<string>; announce: List<string> } = {
  listen: list('--listen <ADDRESS>', 'where to listen; may be repeated'),
  announce: list('--announce <ADDRESS>', 'where others reach it, if not there; may be repeated'),
}

export const storageOptions: { storage: Value<string>; reserve: Value<string>; noStorage: Flag } = {
  storage: text('--storage <DIR>', 'where to keep shares (storage, in the home)'),
  reserve: text('--reserve <SIZE>', 'what to leave free on that disk, e.g. 10GiB (auto)'),
  noStorage: flag('--no-storage', 'keep no shares for others'),
}

/** Who may take part in the grid that a home founds. */
export const foundingOptions: { membership: Value<Mode>; psk: Flag } = {
  membership: choice('--membership <MODE>', 'who may take part: open, list or signed (open)', [
    'open',
    'list',
    'signed',
  ]),
  psk: flag('--psk', 'make a secret without which nobody even connects'),
}

type Mode = 'open' | 'list' | 'signed'

/** Settings and secrets of a home that founds a grid, as its `foundingOptions` want it. */
export function founded(
  { membership, psk }: { membership: Mode | undefined; psk: boolean },
  random: Random,
): { settings: Override[]; secrets: Secrets } {
  const secrets = freshSecrets(random)
  const settings: Override[] = []
  const set = (name: string, value: unknown, source = '--membership'): void => {
    settings.push({ path: name, value, source })
  }
  if (membership !== undefined) set('grid.membership', membership)
  if (membership === 'list') set('grid.members', [identityOf(secrets.identitySeed).id])
  if (membership === 'signed') {
    secrets.gridSeed = random.bytes(seedBytes)
    set('grid.key', toBase32(publicKeyOfSeed(secrets.gridSeed)))
  }
  if (psk) {
    secrets.psk = random.bytes(pskBytes)
    set('grid.psk_files', ['private/psk'], '--psk')
  }
  return { settings, secrets }
}

/** The setting that each option gives a value to. */
const settings: Readonly<Record<string, string>> = {
  nickname: 'node.nickname',
  listen: 'node.listen',
  announce: 'node.announce',
  introducer: 'grid.introducers',
  peer: 'grid.peers',
  storage: 'storage.directory',
  reserve: 'storage.reserve',
}

/** The settings that `options` give; all others keep their values. */
export function givenSettings(options: Readonly<Record<string, unknown>>): Override[] {
  const given: Override[] = []
  for (const [name, path] of Object.entries(settings)) {
    const value = options[name]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    given.push({ path, value, source: `--${name}` })
  }
  if (options.noStorage === true) given.push(noStorage('--no-storage'))
  return given
}

/** The settings of a grid, or of disks of this machine, that a client's `options` give. @throws E_USAGE */
export function gridSettings(options: {
  introducer: readonly string[]
  peer: readonly string[]
  disks: readonly string[]
  k: number | undefined
  happy: number | undefined
  n: number | undefined
}): Override[] {
  const { introducer, peer, disks } = options
  const given = givenSettings(options)
  if (disks.length > 0) {
    const absolute = disks.map((disk) => path.resolve(disk))
    given.push({ path: 'embedded.disks', value: absolute, source: '--disks' })
  }
  given.push(...redundancySettings(introducer.length + peer.length > 0, options))
  return given
}

/** How a home codes what it puts, if it was told; `happy` is n unless it says otherwise. */
function redundancySettings(
  hasGrid: boolean,
  { k, happy, n }: { k: number | undefined; happy: number | undefined; n: number | undefined },
): Override[] {
  if (k === undefined && happy === undefined && n === undefined) return []
  if (k === undefined || n === undefined)
    throw new GridError('E_USAGE', 'give --k and --n, or neither')
  const section = hasGrid ? 'client' : 'embedded'
  return [
    { path: `${section}.k`, value: k, source: '--k' },
    { path: `${section}.happy`, value: happy ?? n, source: '--happy' },
    { path: `${section}.n`, value: n, source: '--n' },
  ]
}

/** The setting of a home that keeps no shares for others. */
export function noStorage(source: string): Override {
  return { path: 'storage.enabled', value: false, source }
}

/** Makes the home. @throws E_CONFIG, E_EXISTS, E_IO */
export async function makeHome(
  { home, world, output, trace }: Context,
  given: readonly Override[],
  secrets: Secrets = freshSecrets(world.random),
): Promise<Identity> {
  parseConfig('', given, home.path)
  await initHome(home, { config: configText(given), random: world.random, secrets })
  const identity = identityOf(secrets.identitySeed)
  trace.event('home made', { path: home.path, id: identity.id })
  output.note(`made ${home.path}: keep a copy of it, whoever has one has its keys`)
  return identity
}
