/** Options of commands: what they are called, and what becomes of their values. */

/** `flags` is as in `-f, --force` or `--range <A-B>`; what is in brackets is a value. */
export interface Flag {
  kind: 'flag'
  flags: string
  summary: string
}

interface Valued<T> {
  flags: string
  summary: string
  /** What a value looks like, for people: `a size like 10GiB`. */
  expected: string
  /** The value in `text`, or undefined where it is not what is expected. */
  parse: (text: string) => T | undefined
}

export interface Value<T> extends Valued<T> {
  kind: 'value'
}

/** A value that may be given again and again. */
export interface List<T> extends Valued<T> {
  kind: 'list'
}

export type Option = Flag | Value<unknown> | List<unknown>

export type Options = Readonly<Record<string, Option>>

/** What was given: undefined for a value that was not. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Value<infer T>
    ? T | undefined
    : O[K] extends List<infer T>
      ? T[]
      : boolean
}

export function flag(flags: string, summary: string): Flag {
  return { kind: 'flag', flags, summary }
}

export function value<T>(
  flags: string,
  summary: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Value<T> {
  return { kind: 'value', flags, summary, expected, parse }
}

/** A value that is taken as it is. */
export function text(flags: string, summary: string): Value<string> {
  return { kind: 'value', flags, summary, expected: 'text', parse: (given) => given }
}

/** As `text`, any number of times. */
export function list(flags: string, summary: string): List<string> {
  return { kind: 'list', flags, summary, expected: 'text', parse: (given) => given }
}

/** One of a few words. */
export function choice<const T extends string>(
  flags: string,
  summary: string,
  words: readonly T[],
): Value<T> {
  const expected = `one of ${words.join(', ')}`
  return value(flags, summary, expected, (given) => words.find((word) => word === given))
}
