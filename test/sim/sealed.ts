/**
 * Shuts a piece of work off from the machine: as long as it runs, real time, chance, files and
 * sockets throw. What slips past the ports is then found in the first seed, not in the first
 * failure that cannot be replayed.
 */
import childProcess from 'node:child_process'
import crypto from 'node:crypto'
import dns from 'node:dns'
import files from 'node:fs'
import filePromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import timers from 'node:timers'
import timerPromises from 'node:timers/promises'
import type { Random } from '../../src/base/random.ts'

/** Methods of objects; named imports of built-in modules follow. */
const methods: readonly [object: object, names: readonly string[]][] = [
  [Math, ['random']],
  [performance, ['now']],
  [AbortSignal, ['timeout']],
  [globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'Date']],
  [globalThis.crypto, ['getRandomValues', 'randomUUID']],
  [crypto, ['randomBytes', 'randomInt', 'randomUUID', 'randomFill', 'randomFillSync']],
  [
    files,
    ['open', 'readFile', 'writeFile', 'stat', 'readdir', 'createReadStream', 'writeFileSync'],
  ],
  [filePromises, ['open', 'readFile', 'writeFile', 'stat', 'readdir', 'rename', 'mkdir']],
  [net, ['connect', 'createConnection', 'createServer']],
  [dns, ['lookup']],
  [timers, ['setTimeout', 'setInterval', 'setImmediate']],
  [timerPromises, ['setTimeout', 'setInterval', 'setImmediate']],
  [childProcess, ['spawn', 'fork', 'exec', 'execFile']],
]

const RealDate = Date

/** Dates can be made of a number, never of the present. */
class SealedDate extends RealDate {
  constructor(...parts: unknown[]) {
    if (parts.length === 0) throw escape('new Date()')
    super(...(parts as [number]))
  }

  static override now(): number {
    throw escape('Date.now')
  }
}

/**
 * @param blinding - what libraries are given that draw random numbers to hide secrets from a clock:
 *   nothing that they give depends on them. Without it they throw.
 */
export async function sealed<T>(work: () => Promise<T>, blinding?: Random): Promise<T> {
  const restore = methods.flatMap(([object, names]) => names.map((name) => replace(object, name)))
  if (blinding !== undefined) {
    globalThis.crypto.getRandomValues = <Room extends ArrayBufferView | null>(room: Room): Room => {
      if (room instanceof Uint8Array) room.set(blinding.bytes(room.length))
      return room
    }
  }
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    for (const undo of restore) undo()
    syncBuiltinESMExports()
  }
}

function replace(object: object, name: string): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name)
  const value =
    name === 'Date'
      ? SealedDate
      : () => {
          throw escape(name)
        }
  Object.defineProperty(object, name, { value, configurable: true, writable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name)
    else Object.defineProperty(object, name, before)
  }
}

function escape(name: string): Error {
  return new Error(`${name} was called: what a seed must replay goes through a port`)
}
