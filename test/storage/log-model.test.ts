/** The server against the least that a server can be: the same requests, the same answers, restarts between. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import {
  type HandedEntry,
  type LogPeer,
  minReadBytes,
  type ReadLogReply,
  type ReadLogRequest,
} from '../../src/log/log-peer.ts'
import { MemoryLogPeer } from '../../src/log/memory-log-peer.ts'
import { signReceipt } from '../../src/log/receipt.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { TestLog } from '../suites/test-log.ts'
import { Machine } from './machine.ts'

const seed = sha256(utf8('a server'))
const nodes = [0, 1, 2].map((i) => {
  const nodeSeed = sha256(utf8(`node ${i}`))
  return { seed: nodeSeed, publicKey: publicKeyOfSeed(nodeSeed) }
})

/** Everything that anybody could try with one log, right or wrong. */
function pool(): { log: TestLog; entries: HandedEntry[] } {
  const log = new TestLog('model', [publicKeyOfSeed(seed), ...nodes.map((node) => node.publicKey)])
  const laptop = log.device('laptop')
  const slow = log.device('slow', { bytesPer30Days: 1000, entriesPerDay: 2 })
  for (let i = 0; i < 4; i++) laptop.snapshot()
  for (let i = 0; i < 4; i++) slow.snapshot()
  const rivals = [1, 2, 3, 3].map((seq, i) => laptop.make({ seq, clientMs: i }))
  const lateOnes = slow.entries.map((entry, i) => {
    const subject = { logId: log.logId, id: entry.id }
    const receipts = nodes.slice(0, 1 + (i % 3)).map((node) => {
      return signReceipt(subject, { receivedMs: 1, late: false }, node)
    })
    return { ...entry, body: i % 2 === 0 ? undefined : entry.body, receipts }
  })
  log.revoke(laptop, 3)
  log.configure(1, [publicKeyOfSeed(seed)])
  const wrong: HandedEntry[] = [
    ...[log.stranger('thief').make({}), laptop.make({ kind: 'config' })],
    ...[laptop.make({ prev: log.logId }), new TestLog('other').device('other').make({})],
    { ...laptop.entries[0], signature: new Uint8Array(64) },
    { ...laptop.entries[1], body: utf8('wrong') },
    { ...slow.entries[0], header: utf8('noise') },
  ]
  const right = [...log.admin.entries, ...laptop.entries, ...slow.entries]
  return { log, entries: [...right, ...right, ...rivals, ...lateOnes, ...wrong] }
}

const { log, entries } = pool()

type Step =
  | { kind: 'append'; picked: number[] }
  | { kind: 'read'; request: ReadLogRequest }
  | { kind: 'restart' }

const seq = fc.integer({ min: 1, max: 6 })
const reads = fc
  .record({
    genesis: fc.boolean(),
    others: fc.boolean(),
    receipts: fc.boolean(),
    bodies: fc.constantFrom('none', 'rules', 'all'),
    ranges: fc.uniqueArray(
      fc.record({
        author: fc.constantFrom(log.admin.key, log.stranger('laptop').key, log.stranger('x').key),
        firstSeq: seq,
        lastSeq: seq,
      }),
      { selector: ({ author }) => toHex(author) },
    ),
  })
  .map((wishes): Step => {
    const request: ReadLogRequest = { logId: log.logId, maxBytes: minReadBytes, ...wishes }
    return { kind: 'read', request }
  })
const appends = fc
  .array(fc.nat(entries.length - 1), { maxLength: 8 })
  .map((picked): Step => ({ kind: 'append', picked }))
/** Entries in the order in which they were written, most of them, so that much is taken. */
const inOrder = fc
  .subarray([...entries.keys()], { minLength: entries.length >> 1 })
  .map((picked): Step => ({ kind: 'append', picked }))
const steps = fc.array(
  fc.oneof(inOrder, inOrder, appends, reads, fc.constant<Step>({ kind: 'restart' })),
  { maxLength: 15 },
)

/** What came of a request, in a form that can be compared. */
async function told(answer: Promise<unknown>): Promise<string> {
  try {
    return plain(await answer)
  } catch (error) {
    if (isGridError(error)) return error.code
    throw error
  }
}

/** As text: bytes in hex, fields in the order of their names. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Uint8Array) return toHex(each)
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Evidence in no order. */
function sorted(reply: ReadLogReply): ReadLogReply {
  return { ...reply, forks: reply.forks.toSorted((a, b) => (plain(a) < plain(b) ? -1 : 1)) }
}

describe('LocalPeer and MemoryLogPeer', () => {
  it('give the same answers to the same requests', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const machine = await new Machine('model').init()
        // its wall clock stands still, so that both sign the same times
        const clock: Clock = {
          nowMs: () => 1_700_000_000_000,
          monotonicMs: () => machine.clock.monotonicMs(),
          after: (ms, action) => machine.clock.after(ms, action),
        }
        const model = new MemoryLogPeer({ seed, clock })
        const open = async (): Promise<LogPeer> => {
          const store = new DiskLogStore({
            disk: machine.disk.mount(machine.clock),
            root: 'home/s',
          })
          await machine.run(store.open())
          const parts = { id: 's', store: new MemoryStore(), clock, reserveBytes: 0 }
          return new LocalPeer({ ...parts, logs: { store, seed } })
        }
        let peer = await open()
        const ask = (step: Step, from: LogPeer): Promise<unknown> => {
          if (step.kind === 'read') return from.readLog(step.request).then(sorted)
          if (step.kind === 'restart') return Promise.resolve('restarted')
          return from.appendEntries(log.append(...step.picked.map((i) => entries[i])))
        }
        for (const step of sequence) {
          if (step.kind === 'restart') peer = await open()
          const expected = await told(ask(step, model))
          assert.equal(await machine.run(told(ask(step, peer))), expected)
          taken += expected.split('"stored"').length - 1
        }
        if (sequence.some(({ kind }) => kind === 'append')) {
          const whole = log.read()
          const expected = await told(model.readLog(whole).then(sorted))
          assert.equal(await machine.run(told(peer.readLog(whole).then(sorted))), expected)
        }
      }),
      { numRuns: process.env.SLOW ? 2000 : 100 },
    )
    assert.ok(taken > 100, `${taken} entries were taken`)
  })
})
