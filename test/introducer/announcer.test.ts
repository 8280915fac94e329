import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Announcer, renewMs } from '../../src/introducer/announcer.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { facts } from './nodes.ts'

const seed = new Uint8Array(32).fill(7)

describe('announcer', () => {
  /** Two nodes with one key, each told at once of what the other says; how often each was told, and warned. */
  async function twins(hours: number) {
    const clock = new SimClock(new SimRandom('twins'))
    const counts = { told: 0, warnings: [0, 0] }
    const announcers = [0, 1].map((i) => {
      const addresses = [`/ip4/203.0.113.${i + 1}/tcp/1`]
      const onTwin = (): number => counts.warnings[i]++
      return new Announcer({
        gridName: 'grid',
        seed,
        clock,
        describe: () => ({ addresses, facts }),
        onTwin,
      })
    })
    for (let minute = 0; minute < 60 * hours; minute++) {
      for (let round = 0; round < 100; round++) {
        for (const [i, announcer] of announcers.entries()) {
          const before = announcer.current
          announcer.heard(announcers[1 - i].current)
          if (announcer.current !== before) counts.told++
        }
      }
      await clock.run({ untilMs: clock.monotonicMs() + renewMs / 60 })
    }
    for (const announcer of announcers) announcer.close()
    return counts
  }

  it('says that another node runs with its key, and does not go on for ever going above it', async () => {
    const { told, warnings } = await twins(1)
    assert.deepEqual(warnings, [1, 1])
    assert.ok(told < 50, `${told} announcements in an hour`)
  })

  it('warns at most once an hour', async () => {
    const { warnings, told } = await twins(5)
    for (const count of warnings) assert.ok(count >= 3 && count <= 6, String(warnings))
    assert.ok(told < 300, `${told} announcements in five hours`)
  })

  it('does not take itself for another', () => {
    const clock = new SimClock(new SimRandom('alone'))
    let warnings = 0
    const onTwin = (): number => warnings++
    const describeIt = () => ({ addresses: ['/ip4/203.0.113.1/tcp/1'], facts })
    const options = { gridName: 'grid', seed, clock, describe: describeIt, onTwin }
    const ahead = new Announcer(options)
    const announcer = new Announcer(options)
    for (let i = 0; i < 5; i++) ahead.renew()
    for (let i = 0; i < 100; i++) {
      announcer.heard(ahead.current)
      announcer.heard(announcer.current)
    }
    assert.equal(warnings, 0)
    assert.ok(announcer.current.seq > ahead.current.seq)
    for (const each of [ahead, announcer]) each.close()
  })
})
