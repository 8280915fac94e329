/** What a later version has left on the disk: refused politely, never called damaged, and left as it is. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { encodeCbor } from '../../src/base/cbor.ts'
import { type Disk, SystemDisk } from '../../src/base/disk.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { lowerFormat, raiseFormat } from '../../src/node/home/home-format.ts'
import { homeAt, openHome, readConfig } from '../../src/node/home/home.ts'
import { diskRecords } from '../../src/node/logs/log-records.ts'
import { makeHome } from '../../src/node/open-grid.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { formatRun, parseRun, runName } from '../../src/storage/log-run.ts'

const disk = new SystemDisk()
const logId = new Uint8Array(32).fill(1)
const author = new Uint8Array(32).fill(2)

/** Rejects unless `work` ends with E_VERSION and a hint to upgrade; nothing below `root` may change. */
async function refusedPolitely(root: string, work: () => Promise<unknown>): Promise<void> {
  const before = snapshotOf(root)
  const error: unknown = await work().then(
    () => new Error('it was taken'),
    (reason: unknown) => reason,
  )
  assert.ok(isGridError(error, 'E_VERSION'), String(error))
  assert.match(error.message, /newer/)
  assert.match(error.hint ?? '', /upgrade/i)
  assert.deepEqual(snapshotOf(root), before)
}

function snapshotOf(root: string): [string, string][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }): [string, string] => {
      const at = path.join(parentPath, name)
      return [at, readFileSync(at).toString('hex')]
    })
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

describe('what a later version has left', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'grid-newer-'))
  })

  afterEach(() => rmSync(root, { recursive: true }))

  it('is refused as a home, and neither its config nor its secrets are looked at', async () => {
    await makeHome(root, [])
    const home = homeAt(root)
    assert.equal(readFileSync(path.join(root, 'format'), 'utf8'), '1\n')
    await openHome(home)
    writeFileSync(path.join(root, 'format'), '2\n')
    writeFileSync(path.join(root, 'config.toml'), 'a_setting_to_come = true')
    await refusedPolitely(root, () => openHome(home))
    await refusedPolitely(root, () => readConfig(home))
    rmSync(path.join(root, 'format'))
    await openHome(home) // of before there was one
    for (const text of ['', 'two', '1.5', '-1', '1\n\n1', '9'.repeat(100)]) {
      writeFileSync(path.join(root, 'format'), text)
      await assert.rejects(openHome(home), { code: 'E_IO' }, text)
    }
  })

  it('is marked in the home first, then in the store, and as long as neither is raised nothing is written', async () => {
    await makeHome(root, [])
    const home = homeAt(root)
    const store = path.join(root, 'storage')
    await raiseFormat({ disk, home, store })
    assert.deepEqual(readdirSync(store), [], 'without a mark it is of format 1')
    const failing: Disk = Object.create(disk, {
      rename: {
        value: (from: string, to: string) =>
          to.startsWith(store) ? Promise.reject(new Error('no power')) : disk.rename(from, to),
      },
    }) as Disk
    await assert.rejects(raiseFormat({ disk: failing, home, store }, 2), { code: 'E_IO' })
    await refusedPolitely(root, () => openHome(home))
    writeFileSync(path.join(root, 'format'), '1\n')
    await raiseFormat({ disk, home, store }, 2)
    await refusedPolitely(root, () => openHome(home))
    await refusedPolitely(root, () => new DiskStore({ disk, root: store }).open())
    await assert.rejects(lowerFormat({ disk, home, store }), { code: 'E_USAGE' })
  })

  it('is refused as a store of shares or logs, before anything in it is touched', async () => {
    await new DiskStore({ disk, root }).open()
    writeFileSync(path.join(root, 'incoming', 'left.0.0.1'), 'of a later version')
    writeFileSync(path.join(root, 'format'), '2\n')
    await refusedPolitely(root, () => new DiskStore({ disk, root }).open())
    await refusedPolitely(root, () => new DiskLogStore({ disk, root }).open())
    writeFileSync(path.join(root, 'format'), '1\n')
    await new DiskStore({ disk, root }).open()
  })

  it('is refused as entries of a log', () => {
    const record = {
      ...{ author, seq: 1, id: new Uint8Array(32).fill(3), receivedMs: 5, fork: false },
      ...{ head: new Uint8Array(100), body: new Uint8Array(10) },
    }
    const [table, ...parts] = formatRun([record])
    const name = runName([record])
    const fileBytes = parts.reduce((sum, part) => sum + part.length, table.length)
    assert.equal(parseRun(name, table, fileBytes)?.length, 1)
    const later = table.slice()
    later[3] = '2'.charCodeAt(0)
    // by itself that is a bit that was lost
    assert.equal(parseRun(name, later, fileBytes), undefined)
    later.set(sha256(later.subarray(0, -32)), later.length - 32)
    assert.throws(() => parseRun(name, later, fileBytes), { code: 'E_VERSION', message: /newer/ })
  })

  it('is refused as a record of what a reader and a writer of logs must not forget', async () => {
    const folder = path.join(root, 'logs')
    const records = diskRecords({ disk, random: new SystemRandom(), path: folder })
    await records.pins.save(logId, [])
    await records.journal.save(author, { header: author, signature: author, body: author })
    for (const name of readdirSync(folder)) {
      const fields = name.endsWith('.pins') ? [[]] : [author, author, author]
      writeFileSync(path.join(folder, name), encodeCbor([2, ...fields]))
    }
    await refusedPolitely(root, () => records.pins.load(logId))
    await refusedPolitely(root, () => records.pins.save(logId, []))
    await refusedPolitely(root, () => records.journal.load(author))
  })
})
