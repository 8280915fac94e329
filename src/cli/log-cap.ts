/** What the commands about logs share: the cap that a verb needs, and heads as people write them. */
import os from 'node:os'
import { toBase32 } from '../base/base32.ts'
import { GridError } from '../base/errors.ts'
import { plainText } from '../base/plain-text.ts'
import { attenuate } from '../caps/attenuate.ts'
import type { CapOf, CapType } from '../caps/cap.ts'
import type { LogView } from '../log/log-view.ts'
import { type CapSource, readCap, readOnlyCap } from './cap-argument.ts'
import type { Context } from './command.ts'
import { aliasesOf } from './home-aliases.ts'

const shownLetters = 10

/**
 * The cap of a call as the one of type `T` that the verb needs, and the arguments that are left.
 *
 * @throws E_CAP_WEAK naming what is needed, and as `readCap`
 */
export async function logCap<T extends CapType>(
  source: CapSource,
  context: Pick<Context, 'world' | 'signal'>,
  needed: T,
): Promise<{ cap: CapOf<T>; rest: readonly string[] }> {
  const { cap, rest } = await readCap(source, context)
  return { cap: attenuate(cap, needed), rest }
}

/**
 * As `logCap`, where nothing may be left. `NAME:` stands for the LOG-Read cap of an alias.
 *
 * @throws E_USAGE too where there is no such alias
 */
export async function onlyLogCap<T extends CapType>(
  source: CapSource,
  context: Context,
  needed: T,
): Promise<CapOf<T>> {
  const { positionals, options } = source
  const isGiven = options.capFile !== undefined || options.capStdin
  const alias = /^([^:]+):$/.exec(positionals.length === 1 && !isGiven ? positionals[0] : '')?.[1]
  if (alias === undefined) return attenuate(await readOnlyCap(source, context), needed)
  return attenuate((await aliasesOf(context).get(alias)).read, needed)
}

/** The beginning of an id or key. */
export function shortId(id: Uint8Array): string {
  return toBase32(id).slice(0, shownLetters)
}

/** A device by its label, fit to be shown; by the beginning of its key if it has none. */
export function deviceName(label: string, author: Uint8Array): string {
  return label === '' ? shortId(author) : plainText(label, 64)
}

/** What this machine is called in a log, unless its user says otherwise. */
export function thisMachine(): string {
  return deviceName(os.hostname(), new Uint8Array(0))
}

/** `laptop:12:a2b3c4d5e6`: names an entry, so the whole chain up to it. */
export function headText(device: string, seq: number, id: Uint8Array): string {
  return `${device}:${seq}:${shortId(id)}`
}

export interface HeadName {
  device: string
  seq: number
  /** The first letters of the id. */
  letters: string
}

/** The inverse of `headText`; undefined for another text. */
export function parseHead(text: string): HeadName | undefined {
  const match = /^(.+):([1-9][0-9]{0,14}):([a-z2-7]{10})$/.exec(text.trim())
  if (match === null) return undefined
  const [, device = '', seq = '', letters = ''] = match
  return { device, seq: Number(seq), letters }
}

/**
 * The key of the device of this label, or whose key begins so; the admin is `admin`.
 *
 * @throws E_USAGE where there is none, or more than one
 */
export function authorOf({ rules, genesis }: LogView, device: string): Uint8Array {
  const found = rules.certificates.filter(
    ({ label, subject }) => deviceName(label, subject) === device || isPrefix(device, subject),
  )
  if (found.length === 1) return found[0].subject
  if (found.length === 0 && device === 'admin') return genesis.adminKey
  const keys = found.map(({ subject }) => shortId(subject)).join(', ')
  throw new GridError(
    'E_USAGE',
    found.length === 0
      ? 'the log has no device of this name'
      : `the log has ${found.length} devices of this name: ${keys}`,
    { hint: 'see `grid log audit` for the devices; the beginning of a key will do' },
  )
}

function isPrefix(text: string, author: Uint8Array): boolean {
  return text.length >= shownLetters && toBase32(author).startsWith(text)
}
