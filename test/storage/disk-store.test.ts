import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { type Disk, SystemDisk } from '../../src/base/disk.ts'
import { isGridError } from '../../src/base/errors.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import {
  entriesOf,
  indexOf,
  putBytes,
  readBytes,
  setAside,
  shareStoreSuite,
} from '../suites/share-store.ts'
import { FailingDisk } from './failing-disk.ts'

async function openStore(root: string, disk: Disk = new SystemDisk()): Promise<DiskStore> {
  const store = new DiskStore({ disk, root })
  await store.open()
  return store
}

shareStoreSuite('DiskStore', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-store-'))
  return { store: await openStore(root), close: () => rm(root, { recursive: true }) }
})

describe('DiskStore', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-store-'))
  })

  afterEach(() => rm(root, { recursive: true }))

  it('lays a share under the first two letters of its index, for the owner alone', async () => {
    const store = await openStore(path.join(root, 'new', 'store'))
    await putBytes(store, indexOf(0), 12, bytes)
    const name = toBase32(indexOf(0))
    const directory = path.join(root, 'new', 'store', 'shares', name.slice(0, 2))
    assert.deepEqual(await readdir(directory), [`${name}.12`])
    assert.equal((await stat(path.join(directory, `${name}.12`))).mode & 0o777, 0o600)
    assert.equal((await stat(directory)).mode & 0o777, 0o700)
    assert.deepEqual(await readdir(path.join(root, 'new', 'store', 'incoming')), [])
  })

  it('finds its shares again when it is opened anew', async () => {
    const before = await openStore(root)
    for (let i = 0; i < 10; i++) await putBytes(before, indexOf(i), i, bytes.subarray(0, i % 4))
    const after = await openStore(root)
    assert.deepEqual(await entriesOf(after), await entriesOf(before))
    assert.deepEqual(await after.totals(), await before.totals())
    assert.deepEqual(await readBytes(after, indexOf(3), 3), bytes)
  })

  it('removes what an ended process left unfinished', async () => {
    const before = await openStore(root)
    const writer = await before.create(indexOf(0), 0, 3)
    await writer.write([bytes])
    assert.equal((await readdir(path.join(root, 'incoming'))).length, 1)
    const after = await openStore(root)
    assert.deepEqual(await readdir(path.join(root, 'incoming')), [])
    assert.deepEqual(await after.list(indexOf(0)), [])
    await assert.rejects(writer.commit(), (error) => isGridError(error, 'E_IO'))
    await writer.abort()
    await putBytes(after, indexOf(0), 0, bytes)
  })

  it('takes no notice of files that are not shares', async () => {
    const name = toBase32(indexOf(0))
    const directory = path.join(root, 'shares', name.slice(0, 2))
    await mkdir(directory, { recursive: true })
    await mkdir(path.join(root, 'shares', 'lost+found'))
    const strangers = [
      `${name}.255`,
      `${name}.01`,
      `${name}.-1`,
      `${name}.1.tmp`,
      name,
      `${name}.`,
      `${name.toUpperCase()}.1`,
      `${name.slice(0, 31)}.1`,
      `zz${name.slice(2)}.1`,
      'README',
    ]
    for (const stranger of strangers) await writeFile(path.join(directory, stranger), bytes)
    const store = await openStore(root)
    assert.deepEqual(await entriesOf(store), [])
    assert.deepEqual(await store.list(indexOf(0)), [])
    assert.equal((await store.totals()).shareCount, 0)
  })

  it('makes no path of anything but 20 bytes and a number below 255', async () => {
    const store = await openStore(root)
    for (const length of [0, 19, 21, 1000]) {
      await assert.rejects(store.create(new Uint8Array(length), 0, 3), RangeError)
      await assert.rejects(store.read(new Uint8Array(length), 0), RangeError)
      await assert.rejects(store.list(new Uint8Array(length)), RangeError)
    }
    for (const number of [-1, 255, 2 ** 31, 1.5, NaN]) {
      await assert.rejects(store.create(indexOf(0), number, 3), RangeError)
      await assert.rejects(store.read(indexOf(0), number), RangeError)
    }
  })

  it('keeps what was set aside under its name and a serial, and finds it anew', async () => {
    const before = await openStore(root)
    const name = toBase32(indexOf(0))
    for (let round = 0; round < 2; round++) {
      await putBytes(before, indexOf(0), 12, bytes.subarray(round))
      await setAside(before, indexOf(0), 12)
    }
    await putBytes(before, indexOf(1), 3, bytes)
    await setAside(before, indexOf(1), 3)
    await putBytes(before, indexOf(1), 3, bytes)
    const quarantine = path.join(root, 'quarantine')
    const files = [`${name}.12.0`, `${name}.12.1`, `${toBase32(indexOf(1))}.3.0`].sort()
    assert.deepEqual((await readdir(quarantine)).sort(), files)
    assert.deepEqual(
      new Uint8Array(await readFile(path.join(quarantine, `${name}.12.1`))),
      bytes.subarray(1),
    )
    const after = await openStore(root)
    assert.deepEqual(await after.damaged(), [{ storageIndex: indexOf(0), shareNumber: 12 }])
    await putBytes(after, indexOf(0), 12, bytes)
    await setAside(after, indexOf(0), 12)
    assert.equal((await readdir(quarantine)).length, 4, 'nothing that is there is overwritten')
  })

  it('syncs where a damaged share went before it says that it is gone', async () => {
    const disk = new FailingDisk(new SystemDisk(), { call: -1, code: '', persisted: false })
    const store = await openStore(root, disk)
    await putBytes(store, indexOf(0), 0, bytes)
    disk.calls.length = 0
    await setAside(store, indexOf(0), 0)
    assert.deepEqual(disk.calls.slice(disk.calls.indexOf('rename')), [
      ...['rename', 'syncDirectory', 'syncDirectory', 'syncDirectory', 'close'],
    ])
  })

  it('opens a read-only file system with leftovers, to be read', async () => {
    const store = await openStore(root)
    await putBytes(store, indexOf(0), 0, bytes)
    const leftover = await store.create(indexOf(1), 0, 3)
    const disk = new FailingDisk(new SystemDisk(), {
      call: 3,
      code: 'EROFS',
      persisted: false,
    })
    const reopened = await openStore(root, disk)
    assert.equal(disk.failed, 'unlink')
    assert.deepEqual(await readBytes(reopened, indexOf(0), 0), bytes)
    await leftover.abort()
  })

  it('syncs the file before its name, and the name before it says so', async () => {
    const disk = new FailingDisk(new SystemDisk(), { call: -1, code: '', persisted: false })
    const store = await openStore(root, disk)
    disk.calls.length = 0
    await putBytes(store, indexOf(0), 0, bytes)
    assert.deepEqual(disk.calls, [
      ...['create', 'write', 'sync', 'close'],
      ...['makeDirectory', 'syncDirectory'],
      ...['fileSize', 'rename', 'syncDirectory'],
    ])
    disk.calls.length = 0
    await putBytes(store, indexOf(0), 1, bytes)
    assert.deepEqual(disk.calls.slice(-4), ['close', 'fileSize', 'rename', 'syncDirectory'])
  })

  it('shares directory syncs among shares that are committed together', async () => {
    const disk = new FailingDisk(new SystemDisk(), { call: -1, code: '', persisted: false })
    const store = await openStore(root, disk)
    await putBytes(store, indexOf(0), 254, bytes)
    disk.calls.length = 0
    const numbers = Array.from({ length: 40 }, (_, i) => i)
    await Promise.all(numbers.map((number) => putBytes(store, indexOf(0), number, bytes)))
    const syncs = disk.calls.filter((call) => call === 'syncDirectory').length
    assert.ok(syncs < 40, `${syncs} syncs for 40 shares`)
  })
})
