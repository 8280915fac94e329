/** Directories over ten node processes on loopback: many small files, a long list, one small change. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { DemoGrid } from '../src/cli/demo/demo-grid.ts'
import type { Grid } from '../src/node/grid.ts'
import { listDirectory } from '../src/tree/directory-reader.ts'
import { changeDirectory, writeDirectory } from '../src/tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../src/tree/entry.ts'
import { type Figure, median } from './figure.ts'
import { gather } from './gather.ts'

const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const smallFiles = 5000
const smallBytes = 4096
const entryCount = 100_000
const rounds = 7

export async function benchTree(): Promise<Figure[]> {
  const grid = await DemoGrid.open(program)
  try {
    await grid.start(nodes)
    const client = await grid.openClient()
    try {
      await gather(client, nodes.length)
      return [await many(client), ...(await large(client))]
    } finally {
      await client.close()
    }
  } finally {
    await grid.close()
  }
}

async function many(client: Grid): Promise<Figure> {
  const inputs = Array.from({ length: smallFiles }, (_, i) => {
    return { item: nameOf(i), input: { stream: [new Uint8Array(randomBytes(smallBytes))] } }
  })
  const start = performance.now()
  await client.trees.write(async (writer) => {
    const entries: DirectoryEntry[] = []
    for await (const { item, ...file } of writer.putMany(inputs))
      entries.push({ ...placeOf(item), ...file })
    return writeDirectory(writer, entries)
  })
  const seconds = (performance.now() - start) / 1000
  const name = '5,000 files of 4 KiB and their directory'
  return { name, value: smallFiles / seconds, unit: 'files/s', reach: '≥ 1,000' }
}

async function large(client: Grid): Promise<Figure[]> {
  const entries = Array.from({ length: entryCount }, (_, i): DirectoryEntry => {
    return { ...placeOf(nameOf(i)), kind: 'lit', content: new Uint8Array(randomBytes(32)) }
  })
  let base = await client.trees.write((writer) => writeDirectory(writer, entries))
  const first: number[] = []
  const all: number[] = []
  const change: number[] = []
  let objects = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    let count = 0
    for await (const { name } of listDirectory(client.trees, base)) {
      if (name.length > 0 && count++ === 0) first.push(performance.now() - start)
    }
    all.push(performance.now() - start)
    if (count !== entryCount) throw new Error(`${count} entries`)
    const changed = performance.now()
    const done = await changeOne(client, base, nameOf(round * 9000 + 7))
    change.push(performance.now() - changed)
    base = done.ref
    objects = done.objects
  }
  return [
    { name: 'list 100,000 entries, first', value: median(first), unit: 'ms', reach: '≤ 300' },
    { name: 'list 100,000 entries, all', value: median(all), unit: 'ms' },
    { name: 'change one file of 100,000', value: median(change), unit: 'ms', reach: '≤ 100' },
    { name: 'the same, new objects', value: objects, unit: '', reach: '≤ 12' },
  ]
}

async function changeOne(
  client: Grid,
  base: DirectoryRef,
  name: string,
): Promise<{ ref: DirectoryRef; objects: number }> {
  let objects = (): number => 0
  const ref = await client.trees.write(async (writer) => {
    objects = () => writer.totals.objects
    const bytes = new Uint8Array(randomBytes(smallBytes))
    const file = await writer.putContent({ stream: [bytes], sizeBytes: bytes.length })
    const entry: DirectoryEntry = { ...placeOf(name), ...file }
    return changeDirectory(writer, base, [{ name: entry.name, entry }])
  })
  return { ref, objects: objects() }
}

function placeOf(name: string) {
  const mtime = { seconds: 1_700_000_000, nanoseconds: 0 }
  return { name: new TextEncoder().encode(name), mode: 0o644, mtime, meta: {} }
}

function nameOf(i: number): string {
  return `n${String(i).padStart(7, '0')}`
}
