/**
 * Key files (docs/specs/key-file.md): a text under a passphrase, or under none, in letters that can
 * be pasted. Whether the passphrase is right is known before anything is decrypted, by a commitment to
 * the key, so that no file opens under two passphrases.
 */
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { fromBase32, toBase32 } from '../../base/base32.ts'
import { concat, equalBytes, utf8 } from '../../base/bytes.ts'
import { type ErrorCode, GridError } from '../../base/errors.ts'
import { taggedHash } from '../../base/hash.ts'
import type { Random } from '../../base/random.ts'
import { tags } from '../../caps/keys.ts'

/** What scrypt costs (RFC 7914): memory is 128 · 2^logN · r bytes. */
export interface ScryptCost {
  logN: number
  r: number
  p: number
}

/** 128 MiB, and about half a second. */
export const usualCost: ScryptCost = { logN: 17, r: 8, p: 1 }

/** Nobody's passphrase or keys are as long. */
export const maxKeyFileBytes: number = 64 * 1024
export const maxPassphraseBytes = 1024

/** What a file says before its passphrase is known. */
export interface KeyFile {
  /** Undefined: the text is not encrypted. */
  lock: { cost: ScryptCost; salt: Uint8Array } | undefined
  body: Uint8Array
}

const title = 'GRID KEY FILE 1'
const saltBytes = 16
const commitmentBytes = 32
const keyBytes = 32
const tagBytes = 16
const lineLetters = 64
const checkLetters = 6
const least = { logN: 10, r: 1, p: 1 }
const most = { logN: 20, r: 8, p: 4 }
const headForm =
  /^GRID KEY FILE (\d{1,9}) (?:(plain)|scrypt (\d{1,9}) (\d{1,9}) (\d{1,9}) ([a-z2-7]{26}))$/i
const nonce = new Uint8Array(12)
const derive = promisify(
  scrypt as (
    passphrase: Uint8Array,
    salt: Uint8Array,
    length: number,
    options: { N: number; r: number; p: number; maxmem: number },
    done: (error: Error | null, key: Buffer) => void,
  ) => void,
)

/**
 * `text` under a passphrase, as lines.
 *
 * @param options.cost - what a guess costs; `usualCost` unless told
 * @throws E_USAGE for a passphrase that is empty or too long, RangeError for a text that is
 */
export async function lockKeyFile(
  text: string,
  passphrase: string,
  options: { random: Random; cost?: ScryptCost },
): Promise<string> {
  const { random, cost = usualCost } = options
  const lock = { cost, salt: random.bytes(saltBytes) }
  const { commitment, key } = await keysOf(passphrase, lock)
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes })
  const plain = utf8(text)
  cipher.setAAD(utf8(headOf({ lock })), { plaintextLength: plain.length })
  const sealed = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
  return formatKeyFile({ lock, body: concat(commitment, sealed) })
}

/** `text` under no passphrase, in the same lines. */
export function plainKeyFile(text: string): string {
  return formatKeyFile({ lock: undefined, body: utf8(text) })
}

/**
 * The text in a file. `passphrase` is asked for only if there is one.
 *
 * @throws E_PASSPHRASE for another than it was locked with, E_SEAL for a file that was changed
 */
export async function openKeyFile(
  { lock, body }: KeyFile,
  passphrase: () => Promise<string>,
): Promise<string> {
  if (lock === undefined) return textOf(body)
  const { commitment, key } = await keysOf(await passphrase(), lock)
  if (!equalBytes(commitment, body.subarray(0, commitmentBytes))) {
    throw new GridError('E_PASSPHRASE', 'the passphrase does not open the key file')
  }
  const sealed = body.subarray(commitmentBytes, body.length - tagBytes)
  const cipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(utf8(headOf({ lock })), { plaintextLength: sealed.length })
  cipher.setAuthTag(body.subarray(body.length - tagBytes))
  let plain: Uint8Array
  try {
    plain = concat(cipher.update(sealed), cipher.final())
  } catch {
    throw refused('E_SEAL', 'it was changed after it was written')
  }
  return textOf(plain)
}

/**
 * Reads the lines, with anything before and behind them; no key is derived yet.
 *
 * @throws E_VERSION for a later format, E_FILE for what is none, was cut short or mistyped, or asks
 *   for more memory or time than any file of ours
 */
export function parseKeyFile(text: string): KeyFile {
  if (text.length > maxKeyFileBytes) throw refused('E_FILE', 'it is too long')
  const lines = text.split('\n').map((line) => line.trim())
  const start = lines.findIndex((line) => line.toUpperCase().startsWith('GRID KEY FILE '))
  if (start < 0) throw refused('E_FILE', `it has no line that begins with ${title}`)
  const lock = readHead(lines[start])
  const end = lines.findIndex((line, i) => i > start && /^END [a-z2-7]{6}$/i.test(line))
  if (end < 0) throw refused('E_FILE', 'its end is missing')
  const letters = lines
    .slice(start + 1, end)
    .join('')
    .replace(/\s/g, '')
    .toLowerCase()
  const head = headOf({ lock })
  if (lines[end].slice(4).toLowerCase() !== checkOf(head, letters)) {
    throw refused('E_FILE', 'a character of it is wrong or missing')
  }
  const body = fromBase32(letters)
  const isShort = lock !== undefined && (body?.length ?? 0) < commitmentBytes + tagBytes
  if (body === undefined || isShort) throw refused('E_FILE', 'it holds no keys')
  return { lock, body }
}

function formatKeyFile(file: KeyFile): string {
  const letters = toBase32(file.body)
  const head = headOf(file)
  const rows = letters.match(new RegExp(`.{1,${lineLetters}}`, 'g')) ?? []
  const text = `${[head, ...rows, `END ${checkOf(head, letters)}`].join('\n')}\n`
  if (text.length > maxKeyFileBytes) throw new RangeError('a key file of too many keys')
  return text
}

function headOf({ lock }: Pick<KeyFile, 'lock'>): string {
  if (lock === undefined) return `${title} plain`
  const { logN, r, p } = lock.cost
  return `${title} scrypt ${logN} ${r} ${p} ${toBase32(lock.salt)}`
}

function readHead(line: string): KeyFile['lock'] {
  const [, version, plain, ...rest] = headForm.exec(line) ?? []
  if (version === undefined) throw refused('E_FILE', 'its first line has another form')
  if (version !== '1') throw refused('E_VERSION', 'a newer grid has written it')
  if (plain !== undefined) return undefined
  const [logN, r, p] = rest.map(Number)
  const cost = { logN, r, p }
  const salt = fromBase32(rest[3])
  const fits = (['logN', 'r', 'p'] as const).every(
    (name) => cost[name] >= least[name] && cost[name] <= most[name],
  )
  if (!fits) throw refused('E_FILE', 'it asks for more work than a key file may, or for too little')
  if (salt === undefined) throw refused('E_FILE', 'its first line has another form')
  return { cost, salt }
}

async function keysOf(
  passphrase: string,
  { cost, salt }: NonNullable<KeyFile['lock']>,
): Promise<{ commitment: Uint8Array; key: Uint8Array }> {
  const bytes = utf8(passphrase.normalize('NFC'))
  if (bytes.length === 0 || bytes.length > maxPassphraseBytes) {
    throw new GridError('E_USAGE', `a passphrase has 1 to ${maxPassphraseBytes} bytes`)
  }
  const { logN, r, p } = cost
  const N = 2 ** logN
  const maxmem = 128 * r * (N + p + 2) + 1024
  const derived = await derive(bytes, salt, commitmentBytes + keyBytes, { N, r, p, maxmem })
  return {
    commitment: Uint8Array.from(derived.subarray(0, commitmentBytes)),
    key: Uint8Array.from(derived.subarray(commitmentBytes)),
  }
}

function checkOf(head: string, letters: string): string {
  return toBase32(taggedHash(tags.keyFile, utf8(`${head}\n${letters}`))).slice(0, checkLetters)
}

function textOf(plain: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch {
    throw refused('E_FILE', 'it holds no text')
  }
}

function refused(code: ErrorCode, why: string): GridError {
  return new GridError(code, `this is no key file that can be used: ${why}`)
}
