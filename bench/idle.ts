/**
 * What a node costs that has nothing to do: memory of its process, alone and with 500 connections over
 * which nobody asks anything. The node's limits are raised for it; all else is as in a real node.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { makeHome } from '../src/node/open-grid.ts'
import type { Figure } from './figure.ts'

const connections = 500
const processes = 5
/** After that the node has given back what starting took, or what connecting did. */
const settleMs = 25_000

export async function benchIdle(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  const children: ChildProcess[] = []
  try {
    const programs = await bundle()
    const home = path.join(directory, 'home')
    await makeHome(home, [
      { path: 'node.listen', value: ['/ip4/127.0.0.1/tcp/0'], source: 'bench' },
      { path: 'storage.enabled', value: true, source: 'bench' },
      { path: 'storage.reserve', value: '1MiB', source: 'bench' },
    ])
    const node = start(children, programs, 'idle-node', [home, String(connections + 50)])
    const address = await firstLine(node)
    await pause(settleMs)
    const alone = residentMiB(node)
    const each = String(connections / processes)
    for (let i = 0; i < processes; i++)
      await firstLine(start(children, programs, 'idle-clients', [address, each]))
    await pause(settleMs)
    const crowded = residentMiB(node)
    return [
      { name: 'idle node', value: alone, unit: 'MiB', reach: '≤ 80' },
      { name: `with ${connections} idle connections`, value: crowded, unit: 'MiB', reach: '≤ 143' },
    ]
  } finally {
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  }
}

/** In one file each, as the command line is: modules that lie apart take more memory. */
async function bundle(): Promise<string> {
  const outdir = path.resolve(import.meta.dirname, '../bench-bundle')
  mkdirSync(outdir, { recursive: true })
  const entry = (name: string): string => path.join(import.meta.dirname, `${name}.js`)
  await build({
    entryPoints: [entry('idle-node'), entry('idle-clients')],
    outdir,
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...{
      minifySyntax: true,
      alias: { 'cbor-x': 'cbor-x/encode' },
      external: ['koffi', 'esbuild', 'lmdb'],
    },
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';globalThis.require ??= requireFrom(import.meta.url);",
    },
  })
  return outdir
}

function start(
  children: ChildProcess[],
  programs: string,
  name: string,
  words: readonly string[],
): ChildProcess {
  const program = path.join(programs, `${name}.js`)
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (piece: Uint8Array) => {
      text += new TextDecoder().decode(piece)
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', (code) => reject(new Error(`a process ended with ${code}`)))
  })
}

function residentMiB({ pid }: ChildProcess): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
