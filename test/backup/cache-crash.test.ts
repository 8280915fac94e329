import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import { pageKeyBytes } from '../../src/backup/memory/sealed-page.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { Crash, CrashingFolder } from './crashing-folder.ts'
import {
  allRows,
  basis,
  CountedRandom,
  described,
  directoryOf,
  entryOf,
  fileOf,
  type Row,
  said,
  sampleRows,
  write,
} from './samples.ts'

const oldRows = sampleRows()
const newRows: Row[] = [
  { step: 'enter', name: utf8('') },
  { step: 'entry', entry: entryOf('new', fileOf('new')) },
  { step: 'leave', directory: directoryOf('') },
]

/** Also knows the keys that it gave out. */
class WatchedRandom extends CountedRandom {
  readonly keys: string[] = []

  override bytes(length: number): Uint8Array {
    const bytes = super.bytes(length)
    if (length === pageKeyBytes) this.keys.push(toHex(bytes))
    return bytes
  }
}

const random = new WatchedRandom()
const open = (folder: CrashingFolder): Promise<BackupMemory> =>
  BackupMemory.open(folder, { random, basis, described, keys: 'kept' })

/** A whole run; false if it ended before its time. */
async function run(folder: CrashingFolder, rows: readonly Row[]): Promise<boolean> {
  try {
    const memory = await open(folder)
    write(memory.writer, rows)
    await memory.commit()
    return true
  } catch (error) {
    if (error instanceof Crash) return false
    throw error
  }
}

async function remembered(folder: CrashingFolder): Promise<Row[]> {
  return allRows(await open(folder)).map(said)
}

/** Every state that a crash at any call of `work` may leave, once. */
async function* crashes(
  before: () => Promise<CrashingFolder>,
  work: (folder: CrashingFolder) => Promise<unknown>,
): AsyncGenerator<CrashingFolder> {
  const seen = new Set<string>()
  for (let call = 1; ; call++) {
    for (const isDone of [false, true]) {
      const folder = await before()
      folder.crash = { call: folder.calls + call, isDone }
      if (await work(folder)) return
      for (const state of folder.survivors()) {
        const text = [...state.contents()].map(([name, bytes]) => `${name} ${toHex(bytes)}`).join()
        if (!seen.has(text)) yield state
        seen.add(text)
      }
    }
  }
}

async function afterOneRun(): Promise<CrashingFolder> {
  const folder = new CrashingFolder()
  await run(folder, oldRows)
  return folder
}

function keysIn(folder: CrashingFolder): string[] {
  return [...folder.contents().values()]
    .filter((bytes) => bytes.length === pageKeyBytes)
    .map(toHex)
    .filter((key) => random.keys.includes(key))
}

describe('a cache whose run is cut short', () => {
  it('is the old or the new one at every call, and one key is left', async () => {
    let states = 0
    const found = new Set<number>()
    for await (const folder of crashes(afterOneRun, (each) => run(each, newRows))) {
      states++
      const rows = await remembered(folder)
      found.add(rows.length)
      assert.deepEqual(rows, rows.length === oldRows.length ? oldRows : newRows)
      assert.equal(keysIn(folder).length, 1)
      assert.equal((await folder.list()).length, 2)
      assert.ok(await run(folder, newRows))
      assert.deepEqual(await remembered(folder), newRows)
      assert.equal((await folder.list()).length, 2)
    }
    assert.ok(states > 15)
    assert.equal(found.size, 2)
  })

  it('is so even if cleaning up is cut short as well', async () => {
    for await (const first of crashes(afterOneRun, (each) => run(each, newRows))) {
      const files = first.contents()
      const again = async (): Promise<CrashingFolder> =>
        new CrashingFolder(
          new Map([...files].map(([name, live]) => [name, { live, durable: live }])),
        )
      const clean = (folder: CrashingFolder): Promise<boolean> =>
        open(folder).then(
          () => true,
          () => false,
        )
      for await (const folder of crashes(again, clean)) {
        const rows = await remembered(folder)
        assert.deepEqual(rows, rows.length === oldRows.length ? oldRows : newRows)
        assert.equal(keysIn(folder).length, 1)
      }
    }
  })

  it('is none or the first at every call of the first run', async () => {
    for await (const folder of crashes(
      async () => new CrashingFolder(),
      (each) => run(each, newRows),
    )) {
      const rows = await remembered(folder)
      assert.deepEqual(rows, rows.length === 0 ? [] : newRows)
      assert.equal(keysIn(folder).length, rows.length === 0 ? 0 : 1)
    }
  })

  it('destroys the key of the run before once it is over', async () => {
    const folder = await afterOneRun()
    const before = keysIn(folder)
    assert.equal(before.length, 1)
    const held = folder.open('1.key')!
    assert.ok(await run(folder, newRows))
    assert.notDeepEqual(keysIn(folder), before)
    assert.deepEqual(held.read(0, 32), new Uint8Array(32))
  })
})
