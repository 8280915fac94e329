import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Bell } from '../../src/base/bell.ts'

describe('bell', () => {
  it('wakes all who wait, once', async () => {
    const bell = new Bell()
    const { signal } = new AbortController()
    let woken = 0
    const waiting = [1, 2].map(() => bell.next({ signal }).then(() => woken++))
    bell.ring()
    await Promise.all(waiting)
    assert.equal(woken, 2)
    const again = bell.next({ signal }).then(() => woken++)
    await Promise.resolve()
    assert.equal(woken, 2)
    bell.ring()
    await again
  })

  it('lets go of a wait that is aborted, before or meanwhile', async () => {
    const bell = new Bell()
    const reason = new Error('enough')
    await assert.rejects(bell.next({ signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const waiting = bell.next({ signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(waiting, reason)
    bell.ring()
  })
})
