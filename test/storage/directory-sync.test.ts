import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { DirectorySync } from '../../src/storage/directory-sync.ts'

interface Call {
  resolve: () => void
  reject: (error: Error) => void
}

/** A sync whose calls end when the test says so. */
function controlled(): { sync: DirectorySync; calls: Call[] } {
  const calls: Call[] = []
  const sync = new DirectorySync(
    () => new Promise((resolve, reject) => calls.push({ resolve, reject })),
  )
  return { sync, calls }
}

describe('DirectorySync', () => {
  it('never lets a sync under way vouch for who came later', async () => {
    const { sync, calls } = controlled()
    const first = sync.run()
    let laterDone = false
    const later = sync.run().then(() => (laterDone = true))
    calls[0].resolve()
    await first
    assert.equal(calls.length, 2)
    assert.equal(laterDone, false)
    calls[1].resolve()
    await later
  })

  it('serves all who wait with one sync', async () => {
    const { sync, calls } = controlled()
    const waiters = [sync.run(), sync.run(), sync.run(), sync.run()]
    calls[0].resolve()
    await waiters[0]
    calls[1].resolve()
    await Promise.all(waiters)
    assert.equal(calls.length, 2)
  })

  it('fails those that the failed sync was for, and only those', async () => {
    const { sync, calls } = controlled()
    const first = sync.run()
    const later = sync.run()
    calls[0].reject(new Error('EIO'))
    await assert.rejects(first, /EIO/)
    calls[1].resolve()
    await later
    const third = sync.run()
    assert.equal(calls.length, 3)
    calls[2].resolve()
    await third
  })
})
