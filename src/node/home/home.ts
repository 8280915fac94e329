/**
 * A home: the folder that one node lives in. `config.toml` is the owner's, `private/` holds the
 * secrets (0700, files 0600), `cache/` can be rebuilt, `storage/` holds shares, `logs/` what a reader or
 * writer of logs must not forget, `events/` what happened at the running node,
 * `leases/` when what was put from here ends. A copy taken right
 * after `initHome` is enough to bring the node's identity back.
 *
 * A home is initialised when `private/` is there: it is made last, complete, by one rename.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { fromBase32, toBase32 } from '../../base/base32.ts'
import { isDiskError } from '../../base/disk.ts'
import { seedBytes } from '../../base/ed25519.ts'
import { asGridError, GridError } from '../../base/errors.ts'
import { checkFormat, formatFile, formatLine } from '../../base/format-mark.ts'
import type { Random } from '../../base/random.ts'
import { formatNumber } from '../../base/version.ts'

/** Paths of one home. */
export interface Home {
  readonly path: string
  readonly config: string
  readonly private: string
  readonly cache: string
  readonly logs: string
  readonly events: string
  readonly leases: string
  readonly lock: string
}

/** What `private/` holds. */
export interface Secrets {
  /** Seed of the node's key, 32 bytes: see `identityOf`. */
  identitySeed: Uint8Array
  /** What makes equal content give equal objects, 32 bytes, never all zero. */
  convergenceSecret: Uint8Array
  /** Seed of the grid's key, 32 bytes, where this home founded a grid with certificates. */
  gridSeed?: Uint8Array
  /** Only of a home that founds a grid with an outer wall: its secret, 32 bytes. Read by `readPsks`. */
  psk?: Uint8Array
}

const secretBytes = 32
const maxSecretFileBytes = 1024
const identityFile = 'identity.key'
const convergenceFile = 'convergence.secret'
const gridKeyFile = 'grid-key'
const pskFile = 'psk'

export function homeAt(directory: string): Home {
  const at = path.resolve(directory)
  return {
    path: at,
    config: path.join(at, 'config.toml'),
    private: path.join(at, 'private'),
    cache: path.join(at, 'cache'),
    logs: path.join(at, 'logs'),
    events: path.join(at, 'events'),
    leases: path.join(at, 'leases'),
    lock: path.join(at, 'node.lock'),
  }
}

/** Secrets for a new home. */
export function freshSecrets(random: Random): Secrets {
  return {
    identitySeed: random.bytes(seedBytes),
    convergenceSecret: random.bytes(secretBytes),
  }
}

/**
 * Makes a home with fresh secrets and `config` as its config.toml, durable when it resolves. An
 * attempt that was cut short can be repeated.
 *
 * @param options.secrets - fresh ones of the caller's, where the config depends on them
 * @throws E_EXISTS for a home that is initialised, or a config.toml with another text; E_IO
 */
export async function initHome(
  home: Home,
  options: { config: string; random: Random; secrets?: Secrets },
): Promise<Secrets> {
  const { config, random, secrets = freshSecrets(random) } = options
  if (await exists(home.private)) {
    throw new GridError('E_EXISTS', `${home.path} is a grid home already`, {
      hint: 'choose another with --home, or change its config.toml',
    })
  }
  try {
    await fs.mkdir(home.path, { recursive: true, mode: 0o700 })
    await placeConfig(home, config)
    await fs.mkdir(home.leases, { recursive: true, mode: 0o700 })
    await writeDurably(path.join(home.path, formatFile), formatLine(formatNumber))
    await placeSecrets(home, secrets, random)
    return secrets
  } catch (error) {
    throw asGridError(error, 'E_IO', `cannot make ${home.path}`)
  }
}

/**
 * Reads the secrets, once it is certain that nobody else can.
 *
 * @throws E_NOT_INITIALISED, E_PERMISSIONS, E_CONFIG for a file that does not hold a secret, E_VERSION
 *   for a home that a later version has changed
 */
export async function openHome(home: Home): Promise<Secrets> {
  if (!(await exists(home.private))) {
    throw new GridError('E_NOT_INITIALISED', `there is no grid home at ${home.path}`, {
      hint: 'run: grid init, or for a server: grid node init, grid introducer init',
    })
  }
  await checkHomeFormat(home)
  await refuseIfOpenToOthers(home)
  const gridKey = path.join(home.private, gridKeyFile)
  return {
    identitySeed: await readSecret(path.join(home.private, identityFile)),
    convergenceSecret: await readSecret(path.join(home.private, convergenceFile)),
    ...((await exists(gridKey)) && { gridSeed: await readSecret(gridKey) }),
  }
}

/** The secrets of a grid's outer wall in `files`. @throws E_PERMISSIONS for a file open to others, E_CONFIG */
export async function readPsks(files: readonly string[]): Promise<Uint8Array[]> {
  for (const file of files) await refuseWider(file)
  return Promise.all(files.map(readSecret))
}

/** The text of config.toml. @throws E_CONFIG, E_VERSION */
export async function readConfig(home: Home): Promise<string> {
  await checkHomeFormat(home)
  try {
    return await fs.readFile(home.config, 'utf8')
  } catch (error) {
    throw asGridError(error, 'E_CONFIG', `cannot read ${home.config}`)
  }
}

async function checkHomeFormat(home: Home): Promise<void> {
  const text = await fs
    .readFile(path.join(home.path, formatFile), 'utf8')
    .catch((error: unknown) => {
      if (isDiskError(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw asGridError(error, 'E_IO', `cannot read ${home.path}`)
    })
  checkFormat(text, `the home ${home.path}`)
}

/** Replaces config.toml, durably. @throws E_IO */
export async function replaceConfig(home: Home, config: string): Promise<void> {
  const temporary = `${home.config}.new`
  try {
    await writeDurably(temporary, config)
    await fs.rename(temporary, home.config)
    await syncDirectory(home.path)
  } catch (error) {
    throw asGridError(error, 'E_IO', `cannot write ${home.config}`)
  }
}

async function placeConfig(home: Home, config: string): Promise<void> {
  const present = await fs.readFile(home.config, 'utf8').catch((error: unknown) => {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw error
  })
  if (present === config) return
  if (present !== undefined) {
    throw new GridError('E_EXISTS', `${home.config} is there already`, {
      hint: 'move it away, then put your settings into the new one',
    })
  }
  const temporary = `${home.config}.new`
  await writeDurably(temporary, config)
  await fs.rename(temporary, home.config)
}

/** The rename fails if another process has made its `private/` meanwhile: the first one wins. */
async function placeSecrets(home: Home, secrets: Secrets, random: Random): Promise<void> {
  const temporary = `${home.private}.${toBase32(random.bytes(5))}`
  await fs.mkdir(temporary, { mode: 0o700 })
  try {
    await writeDurably(path.join(temporary, identityFile), secretLine(secrets.identitySeed))
    await writeDurably(path.join(temporary, convergenceFile), secretLine(secrets.convergenceSecret))
    const { gridSeed, psk } = secrets
    for (const [name, secret] of Object.entries({ [gridKeyFile]: gridSeed, [pskFile]: psk })) {
      if (secret !== undefined) await writeDurably(path.join(temporary, name), secretLine(secret))
    }
    await syncDirectory(temporary)
    await fs.rename(temporary, home.private)
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true })
    if (!isDiskError(error, 'ENOTEMPTY', 'EEXIST')) throw error
    throw new GridError('E_EXISTS', `another process made ${home.path} just now`)
  }
  await syncDirectory(home.path)
  await syncDirectory(path.dirname(home.path))
}

async function refuseIfOpenToOthers(home: Home): Promise<void> {
  await refuseWider(home.private)
  for (const name of await fs.readdir(home.private, { recursive: true })) {
    await refuseWider(path.join(home.private, name))
  }
}

async function refuseWider(at: string): Promise<void> {
  const stats = await fs.stat(at).catch((error: unknown) => {
    // what another process writes there is renamed when it is whole
    if (isDiskError(error, 'ENOENT')) return undefined
    throw asGridError(error, 'E_IO', `cannot see who may read ${at}`)
  })
  if (stats === undefined || (stats.mode & 0o077) === 0) return
  const mode = (stats.mode & 0o777).toString(8)
  throw new GridError('E_PERMISSIONS', `${at} is open to others (mode ${mode})`, {
    hint: `run: chmod ${stats.isDirectory() ? '700' : '600'} '${at}'`,
    facts: { path: at, mode },
  })
}

/** The length is bound before reading: what is there may be anything. */
async function readSecret(at: string): Promise<Uint8Array> {
  let text = ''
  try {
    const { size } = await fs.stat(at)
    if (size <= maxSecretFileBytes) text = await fs.readFile(at, 'utf8')
  } catch (error) {
    throw asGridError(error, 'E_CONFIG', `cannot read ${at}`)
  }
  const secret = fromBase32(text.trim())
  if (secret?.length !== secretBytes || secret.every((byte) => byte === 0)) {
    throw new GridError('E_CONFIG', `${at} does not hold a secret of ${secretBytes} bytes`, {
      hint: 'bring it back from a copy of the home',
    })
  }
  return secret
}

function secretLine(secret: Uint8Array): string {
  return `${toBase32(secret)}\n`
}

async function writeDurably(at: string, text: string): Promise<void> {
  const file = await fs.open(at, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(at: string): Promise<void> {
  const directory = await fs.open(at, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function exists(at: string): Promise<boolean> {
  try {
    await fs.stat(at)
    return true
  } catch (error) {
    if (isDiskError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
