/**
 * Makes a log, adds a snapshot of a small directory to it, and reads it back from the log's cap.
 *
 *     node dist/examples/log.js
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import {
  attenuate,
  capOfDirectory,
  type DirectoryEntry,
  directoryOfCap,
  listDirectory,
  makeHome,
  openGrid,
  totalsOf,
  writeDirectory,
} from '../src/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const directory = await mkdtemp(path.join(tmpdir(), 'grid-example-'))
const home = path.join(directory, 'home')
await makeHome(home)
const grid = await openGrid({ home })
try {
  // whoever holds the admin cap can do everything; the device can append, and read nothing
  const { admin, append } = await grid.logs.create({ device: hostname().slice(0, 64) })

  const files = ['first', 'second'].map((name) => ({
    item: name,
    input: { stream: [bytes(`what the ${name} file says, `.repeat(20))] },
  }))
  const ref = await grid.trees.write(async (writer) => {
    const entries: DirectoryEntry[] = []
    for await (const { item, ...file } of writer.putMany(files)) {
      const facts = { mode: 0o644, mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, meta: {} }
      entries.push({ name: bytes(item), ...facts, ...file })
    }
    return writeDirectory(writer, entries)
  })

  const report = await grid.logs.append(append, {
    cap: capOfDirectory(ref),
    host: hostname(),
    label: 'example',
    paths: [],
    tool: 'examples/log.ts',
    totals: await totalsOf(grid.trees, ref),
    partial: false,
  })
  console.log(`entry ${report.seq} is on ${report.receipts.length} servers`)

  const log = grid.logs.reader(attenuate(admin, 'LOG-Read'))
  const view = await log.read()
  console.log(`the log is ${view.conclusion.state}`)
  for await (const { device, snapshot } of log.snapshots(view)) {
    if (snapshot === undefined) continue
    console.log(`${device}: ${snapshot.totals.files} files, ${snapshot.totals.bytes} bytes`)
    for await (const entry of listDirectory(grid.trees, directoryOfCap(snapshot.cap))) {
      if (entry.kind !== 'file') continue
      let content = ''
      for await (const piece of grid.trees.readContent(entry)) content += text(piece)
      console.log(`  ${text(entry.name)}: ${content.slice(0, 24)}…`)
    }
  }
} finally {
  await grid.close()
  await rm(directory, { recursive: true })
}
