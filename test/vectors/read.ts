/**
 * Vectors made by the second implementation (test/second): files of cases, each with the bytes it
 * takes and either what comes out or the code it is refused with.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { keystream } from '../../src/encoding/seal.ts'

export interface Vector {
  id: string
  op: string
  in: Record<string, unknown>
  out?: unknown
  error?: string
}

/** Bytes of a vector: hex, or `len` bytes of AES-256-CTR under SHA-256(seed). */
export type Bulk = string | { gen: 'ctr'; seed: string; len: number }

/** What is done for a case of an op: its `in` to its `out`, or an error. */
export type Operations = Readonly<Record<string, (given: never) => unknown>>

const folder = path.resolve(import.meta.dirname, '../../../test/vectors')

export function readVectors(name: string): Vector[] {
  const text = readFileSync(path.join(folder, `${name}.json`), 'utf8')
  return (JSON.parse(text) as { cases: Vector[] }).cases
}

/** Rejects unless the operation gives what the vector says, or fails as it says. */
export async function checkVector(vector: Vector, operations: Operations): Promise<void> {
  const operation = operations[vector.op]
  assert.ok(operation !== undefined, `no operation ${vector.op}`)
  const run = async (): Promise<unknown> => operation(vector.in as never)
  if (vector.error === undefined) assert.deepEqual(await run(), vector.out)
  else await assert.rejects(run, (error) => codeOf(error) === vector.error)
}

export function bytesOf(bulk: Bulk): Uint8Array {
  if (typeof bulk === 'string') return fromHex(bulk)
  return keystream(sha256(fromHex(bulk.seed)), bulk.len)
}

/** Bytes as a vector gives them: hex, or length and hash where there are many. */
export function shown(bytes: Uint8Array): unknown {
  if (bytes.length <= 256) return toHex(bytes)
  return { length: bytes.length, sha256: toHex(sha256(bytes)) }
}

/** The code of a fact of the world, the name of a programmer's mistake. */
function codeOf(error: unknown): string {
  if (isGridError(error)) return error.code
  return error instanceof Error ? error.name : String(error)
}
