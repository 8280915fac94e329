/** `--range`, as HTTP counts: first and last byte from 0, the last left out for all that follow. */
import { value, type Value } from './option.ts'

/** Bytes [start, end). */
export interface ByteRange {
  start: number
  end?: number
}

export const rangeOption: Value<ByteRange> = value(
  '--range <A-B>',
  'bytes A to B only, from 0; B may be left out',
  'a range like 0-499',
  parseByteRange,
)

export function parseByteRange(text: string): ByteRange | undefined {
  const [, first, last] = /^(\d{1,15})-(\d{0,15})$/.exec(text) ?? []
  if (first === undefined) return undefined
  const start = Number(first)
  if (last === '') return { start }
  const end = Number(last) + 1
  return end > start ? { start, end } : undefined
}
