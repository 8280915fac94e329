import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, it } from 'mocha'
import { sealed } from './sealed.ts'
import { SimClock } from './sim-clock.ts'
import { SimRandom } from './sim-random.ts'

const escapes: Record<string, () => unknown> = {
  'Date.now': () => Date.now(),
  'new Date()': () => new Date(),
  'performance.now': () => performance.now(),
  'Math.random': () => Math.random(),
  setTimeout: () => setTimeout(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  'AbortSignal.timeout': () => AbortSignal.timeout(1),
  'crypto.getRandomValues': () => crypto.getRandomValues(new Uint8Array(1)),
  randomBytes: () => randomBytes(1),
  'open of node:fs/promises': () => open('/dev/null'),
  connect: () => connect(1, '127.0.0.1'),
  'setTimeout of node:timers/promises': () => wait(1),
  fetch: () => fetch('http://127.0.0.1:1'),
}

describe('sealed', () => {
  for (const [name, escape] of Object.entries(escapes)) {
    it(`lets nobody call ${name}`, async () => {
      await sealed(async () => {
        assert.throws(escape, /goes through a port/)
      })
    })
  }

  it('leaves what does not depend on the machine', async () => {
    await sealed(async () => {
      assert.equal(new Date(0).toISOString(), '1970-01-01T00:00:00.000Z')
      const clock = new SimClock(new SimRandom('sealed'))
      clock.after(5, () => {})
      await clock.run()
      assert.equal(clock.monotonicMs(), 5)
    })
  })

  it('gives everything back, even after a failure', async () => {
    const { now } = Date
    await assert.rejects(
      sealed(async () => {
        throw new Error('work failed')
      }),
      /work failed/,
    )
    assert.equal(Date.now, now)
    assert.ok(Date.now() > 0 && Math.random() < 1 && randomBytes(1).length === 1)
  })
})
