/**
 * One component of a pattern against one name, both bytes: `*`, `?`, `[a-z]`, `[!a-z]`, `\x`. `?`
 * and classes stand for one character where the name is UTF-8, else for one byte. Time is at most
 * the product of both lengths: of several `*` only the last is ever tried again.
 */
import { equalBytes } from '../base/bytes.ts'
import { characterAt, characterLengthAt } from './character.ts'

type Token =
  | { kind: 'byte'; byte: number }
  | { kind: 'one' | 'any' }
  | { kind: 'class'; negated: boolean; ranges: readonly (readonly [number, number])[] }

/** Whether a name is what a component of a pattern means. */
export type NameMatcher = (name: Uint8Array) => boolean

const star = 0x2a
const question = 0x3f
const open = 0x5b
const close = 0x5d
const backslash = 0x5c
const dash = 0x2d
const negations = [0x21, 0x5e]

export function compileGlob(glob: Uint8Array): NameMatcher {
  const tokens = tokensOf(glob)
  if (tokens.every((token) => token.kind === 'byte')) {
    const literal = Uint8Array.from(tokens, ({ byte }) => byte)
    return (name) => equalBytes(name, literal)
  }
  return (name) => matches(tokens, name)
}

function matches(tokens: readonly Token[], name: Uint8Array): boolean {
  let [token, at] = [0, 0]
  let [retryToken, retryAt] = [-1, 0]
  while (at < name.length || token < tokens.length) {
    const current: Token | undefined = tokens[token]
    if (current?.kind === 'any') {
      ;[retryToken, retryAt] = [++token, at]
      continue
    }
    const taken = current === undefined || at >= name.length ? 0 : taking(current, name, at)
    if (taken > 0) {
      at += taken
      token++
      continue
    }
    if (retryToken < 0 || retryAt >= name.length) return false
    retryAt += Math.max(1, characterLengthAt(name, retryAt))
    ;[token, at] = [retryToken, retryAt]
  }
  return true
}

/** Bytes that the token takes of the name, 0 if it does not fit. */
function taking(token: Token, name: Uint8Array, at: number): number {
  if (token.kind === 'byte') return token.byte === name[at] ? 1 : 0
  const length = Math.max(1, characterLengthAt(name, at))
  if (token.kind !== 'class') return length
  const character = characterAt(name, at)
  const within = token.ranges.some(([first, last]) => character >= first && character <= last)
  return within === token.negated ? 0 : length
}

function tokensOf(glob: Uint8Array): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < glob.length; at++) {
    const byte = glob[at]
    if (byte === star) {
      if (tokens.at(-1)?.kind !== 'any') tokens.push({ kind: 'any' })
    } else if (byte === question) tokens.push({ kind: 'one' })
    else if (byte === backslash && at + 1 < glob.length)
      tokens.push({ kind: 'byte', byte: glob[++at] })
    else {
      const found = byte === open ? classAt(glob, at) : undefined
      tokens.push(found?.token ?? { kind: 'byte', byte })
      if (found !== undefined) at = found.last
    }
  }
  return tokens
}

/** The class that begins at `start`, and where its bracket is; undefined where none closes it. */
function classAt(glob: Uint8Array, start: number): { token: Token; last: number } | undefined {
  const negated = negations.includes(glob[start + 1])
  const first = start + (negated ? 2 : 1)
  const ranges: [number, number][] = []
  let at = first
  const next = (): number => {
    if (glob[at] === backslash && at + 1 < glob.length) at++
    const character = characterAt(glob, at)
    at += Math.max(1, characterLengthAt(glob, at))
    return character
  }
  while (at < glob.length) {
    if (glob[at] === close && at > first)
      return { token: { kind: 'class', negated, ranges }, last: at }
    const low = next()
    const isRange = glob[at] === dash && at + 1 < glob.length && glob[at + 1] !== close
    if (isRange) at++
    ranges.push([low, isRange ? next() : low])
  }
  return undefined
}
