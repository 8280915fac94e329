/**
 * A server with a million shares: how long it takes to start and how much memory, with an index of
 * holds that knows them all and with one that is lost and made anew from the shares.
 * `GRID_BENCH_SHARES` asks for another number.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { storageIndexOf } from '../src/encoding/descriptor.ts'
import { encodeObject } from '../src/encoding/object.ts'
import { openErasureCode } from '../src/encoding/open-code.ts'
import { makeHome } from '../src/node/open-grid.ts'
import { shareName, sharePrefix } from '../src/storage/share-name.ts'
import type { Figure } from './figure.ts'

const count = Number(process.env.GRID_BENCH_SHARES ?? 1_000_000)

export async function benchManyShares(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  try {
    const home = path.join(directory, 'home')
    await makeHome(home, [
      { path: 'node.listen', value: ['/ip4/127.0.0.1/tcp/0'], source: 'bench' },
      { path: 'storage.enabled', value: true, source: 'bench' },
      { path: 'storage.reserve', value: '1MiB', source: 'bench' },
    ])
    writeShares(path.join(home, 'storage', 'shares'))
    const lost = await started(home)
    const warm = await started(home)
    const name = (what: string): string => `${count} shares: ${what}`
    return [
      { name: name('start, no index'), value: lost.startMs / 1000, unit: 's', reach: '≤ 10' },
      { name: name('index from the shares'), value: lost.walkMs / 1000, unit: 's', reach: '≤ 300' },
      { name: name('memory after that'), value: lost.residentMiB, unit: 'MiB', reach: '≤ 238' },
      { name: name('start, with index'), value: warm.startMs / 1000, unit: 's', reach: '≤ 10' },
      { name: name('first sweep with index'), value: warm.walkMs / 1000, unit: 's' },
      {
        name: name('memory after that, again'),
        value: warm.residentMiB,
        unit: 'MiB',
        reach: '≤ 238',
      },
    ]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The smallest shares that there are, each of an object of its own, and sound. */
function writeShares(directory: string): void {
  const code = openErasureCode()
  const made = new Set<string>()
  const ciphertext = new Uint8Array(1024)
  const view = new DataView(ciphertext.buffer)
  for (let i = 0; i < count; i++) {
    view.setUint32(0, i)
    const { root, shares } = encodeObject(ciphertext, { k: 1, n: 1 }, code)
    const name = shareName(storageIndexOf(root), 0)
    const folder = path.join(directory, sharePrefix(name))
    if (!made.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 })
    made.add(folder)
    writeFileSync(path.join(folder, name), shares[0], { mode: 0o600 })
  }
}

interface Started {
  startMs: number
  walkMs: number
  residentMiB: number
}

async function started(home: string): Promise<Started> {
  const program = path.join(import.meta.dirname, 'many-shares-node.js')
  const began = performance.now()
  const child = spawn(process.execPath, [program, home], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  const startMs = performance.now() - began
  await lines.next()
  const walkMs = performance.now() - began - startMs
  const residentMiB = residentOf(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.end()
  await ended
  return { startMs, walkMs, residentMiB }
}

function residentOf({ pid }: ChildProcess): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}
