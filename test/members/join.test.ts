import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import type { Net } from '../../src/base/net.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import {
  formatJoinReply,
  type Grant,
  joinVerb,
  parseJoin,
  parseJoinReply,
} from '../../src/members/invite-protocol.ts'
import { joinGrid } from '../../src/members/join.ts'
import { answer } from '../../src/wire/answerer.ts'
import { Machine } from '../storage/machine.ts'

const [inviter, joiner] = [1, 2].map((i) => peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(i))))
const link = {
  inviter: { id: inviter, addresses: ['/ip4/192.0.2.1/tcp/7780'] },
  ticket: new Uint8Array(16).fill(5),
}
const grant: Grant = {
  ...{ gridName: 'family', introducers: [], mode: 'open', gridKey: undefined, listed: [] },
  ...{ certificate: undefined, psk: undefined, allowPrivate: true, kindBits: 3 },
}

/** What the inviter does at one request: `wait` answers that nothing is decided, `cut` ends the connection. */
type Step = 'wait' | 'cut' | Grant | GridError

describe('joining', () => {
  let machine: Machine
  let waits: number[]
  let dials: number
  let isReachable: (dial: number) => boolean
  let waiting: number

  beforeEach(async () => {
    machine = await new Machine('joining').init()
    waits = []
    dials = waiting = 0
    isReachable = () => true
  })

  function join(...steps: Step[]): Promise<Grant> {
    const { clock } = machine
    const serve = (channel: Channel): void => {
      const verb = {
        deadlineMs: 60_000,
        parse: parseJoin,
        handle: async (request: unknown) => {
          waits.push((request as ReturnType<typeof parseJoin>).waitMs)
          const step = steps.shift()!
          if (step instanceof GridError) throw step
          if (step === 'cut') channel.abort(new Error('cut'))
          return { facts: formatJoinReply(typeof step === 'string' ? undefined : step) }
        },
      }
      void answer(channel, new Map([[joinVerb, verb]]), { clock, budget: new Budget(1000) })
    }
    const dial: Net['dial'] = async (target) => {
      assert.equal(target.id, inviter, 'talks to nobody else')
      if (!isReachable(++dials)) throw new GridError('E_UNREACHABLE', 'nobody is there')
      const [near, far] = channelPair({ ids: [inviter, joiner] })
      serve(far)
      return near
    }
    const onWaiting = (): void => {
      waiting++
    }
    const { signal } = new AbortController()
    const parts = { net: { dial } as Net, clock, nickname: 'x', onWaiting, signal }
    return machine.run(joinGrid(link, parts))
  }

  const isCode = (code: 'E_UNREACHABLE' | 'E_INVITE' | 'E_BUSY') => (error: unknown) =>
    isGridError(error, code)

  it('asks at once, then waits, and tells once that it does', async () => {
    assert.deepEqual(await join('wait', 'wait', grant), grant)
    assert.deepEqual(waits, [0, 20_000, 20_000])
    assert.deepEqual([waiting, dials], [1, 1])
  })

  it('goes on over a new connection where one breaks, or the inviter is away or busy for a time', async () => {
    isReachable = (dial) => dial !== 2
    const busy = new GridError('E_BUSY', 'too many machines are joining')
    assert.deepEqual(await join('wait', 'cut', 'wait', busy, grant), grant)
    assert.deepEqual([waiting, dials], [1, 4])
  })

  it('ends at once where the inviter is not reached, or does not want it', async () => {
    isReachable = () => false
    await assert.rejects(join(grant), isCode('E_UNREACHABLE'))
    assert.equal(dials, 1)
    isReachable = () => true
    const no = new GridError('E_INVITE', 'the inviter said no')
    await assert.rejects(join('wait', no, grant), isCode('E_INVITE'))
    await assert.rejects(join(no, grant), isCode('E_INVITE'))
  })

  it('takes no grant that contradicts itself', () => {
    const key = publicKeyOfSeed(new Uint8Array(32).fill(3))
    for (const changed of [
      { gridKey: key },
      { certificate: key },
      { mode: 'signed' },
      { mode: 'signed', gridKey: key },
      { mode: 'signed', certificate: key },
    ] as const) {
      const facts = formatJoinReply({ ...grant, ...changed })
      assert.throws(
        () => parseJoinReply(facts),
        (error) => isGridError(error, 'E_PROTOCOL'),
      )
    }
    const whole: Grant = { ...grant, mode: 'signed', gridKey: key, certificate: key }
    assert.deepEqual(parseJoinReply(formatJoinReply(whole)), whole)
  })
})
