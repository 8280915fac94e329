/**
 * Stores a text in a fresh home and reads it back: Grid as a library.
 *
 *     node dist/examples/put-and-get.js
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeHome, openGrid } from '../src/index.ts'

const directory = await mkdtemp(path.join(tmpdir(), 'grid-example-'))
const home = path.join(directory, 'home')
await makeHome(home)
const grid = await openGrid({ home })
try {
  const text = new TextEncoder().encode(
    'What is put is never changed, and never lost. '.repeat(1000),
  )
  const { cap, sharesStored, notes } = await grid.put({ stream: [text], sizeBytes: text.length })
  console.log(`stored ${text.length} bytes as ${sharesStored} shares`, notes)

  let received = ''
  for await (const piece of grid.get(cap, { range: { start: 0, end: 45 } })) {
    received += new TextDecoder().decode(piece)
  }
  console.log(received)
} finally {
  await grid.close()
  await rm(directory, { recursive: true })
}
