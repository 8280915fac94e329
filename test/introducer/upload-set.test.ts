import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { UploadSet } from '../../src/introducer/upload-set.ts'
import { Machine } from '../storage/machine.ts'

function ids(...numbers: number[]): Set<string> {
  return new Set(numbers.map((number) => `server ${number}`))
}

function usable(uploads: UploadSet, most = 12): number[] {
  return Array.from({ length: most }, (_, i) => i).filter((i) => uploads.has(`server ${i}`))
}

describe('servers that a client uploads to', () => {
  it('grow as servers come, and lose those that go, few at a time', async () => {
    const uploads = await UploadSet.open()
    uploads.hear(ids(0))
    uploads.hear(ids(0, 1, 2, 3, 4, 5))
    uploads.hear(ids(0, 1, 2, 6))
    assert.deepEqual(usable(uploads), [0, 1, 2, 6])
    assert.equal(uploads.held, undefined)
  })

  it('server 31: stay the same while more than half would go at once, until that is accepted', async () => {
    const uploads = await UploadSet.open()
    uploads.hear(ids(0, 1, 2, 3))
    const sybils = ids(3, 7, 8, 9, 10, 11)
    uploads.hear(sybils)
    assert.deepEqual(usable(uploads), [0, 1, 2, 3])
    assert.deepEqual(uploads.held, { gone: 3, known: 4 })
    uploads.hear(ids())
    assert.deepEqual(usable(uploads), [0, 1, 2, 3])
    uploads.hear(ids(0, 1, 7))
    assert.deepEqual(usable(uploads), [0, 1, 7], 'they are back')
    uploads.hear(ids(0, 1, 7, 2, 3))
    uploads.hear(sybils)
    uploads.accept()
    uploads.hear(sybils)
    assert.deepEqual(usable(uploads), [3, 7, 8, 9, 10, 11])
    assert.equal(uploads.held, undefined)
  })

  it('are remembered across a restart, so that a day without the client does not help', async () => {
    const machine = await new Machine('uploads').init()
    const open = () => {
      const keptAt = { disk: machine.disk.mount(machine.clock), path: 'home/uploads' }
      return machine.run(UploadSet.open({ keptAt }))
    }
    const first = await open()
    first.hear(ids(0, 1, 2, 3, 4))
    await machine.run(first.close())
    const second = await open()
    second.hear(ids(7, 8, 9))
    assert.deepEqual(usable(second), [0, 1, 2, 3, 4])
    second.accept()
    await machine.run(second.close())
    assert.deepEqual(usable(await open()), [])
  })

  it('stay while nothing can be heard of them, and others do not come with them', async () => {
    const uploads = await UploadSet.open()
    uploads.hear(ids(0, 1, 2, 3, 4, 5))
    uploads.hear(ids(3, 4, 5), ids(0, 1, 2, 8))
    assert.deepEqual(usable(uploads), [0, 1, 2, 3, 4, 5])
    uploads.hear(ids(6), ids(0, 1, 2, 3, 4, 8))
    assert.deepEqual(usable(uploads), [0, 1, 2, 3, 4, 6], 'one is known to be gone')
    assert.equal(uploads.held, undefined)
  })

  it('are all that were ever announced, where none is remembered and nothing can be heard', async () => {
    const uploads = await UploadSet.open()
    uploads.hear(ids(0), ids(1, 2, 3))
    assert.deepEqual(usable(uploads), [0, 1, 2, 3])
    uploads.hear(ids(0, 1))
    assert.deepEqual(usable(uploads), [0, 1])
    assert.equal(uploads.held, undefined, 'they were not taken for remembered ones')
  })

  it('of three servers may all change', async () => {
    const uploads = await UploadSet.open()
    uploads.hear(ids(0, 1, 2))
    uploads.hear(ids(7))
    assert.deepEqual(usable(uploads), [7])
  })
})
