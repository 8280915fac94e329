/** Servers that break the wire protocol under a client's feet. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { fromHex } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { frameStart } from '../../src/wire/frame.ts'
import { AttackedGrid, content, notEnoughShares, range } from './attacked-grid.ts'
import { bombs } from './bombs.ts'
import { type HostileEnd, type Hostility, silence } from './hostile-server.ts'

const bytes = content(1000)
const never = new Promise<never>(() => {})

interface Outcome {
  /** Virtual time that the slowest read took with seven such servers of ten. */
  slowestMs: number
  /** What the last such server was found guilty of, when all ten are. */
  codes: Set<string>
}

/**
 * A file is put on ten honest servers; then seven of them, any seven in a row, and at last all ten,
 * answer as told. With three honest ones the file is read; with none the read ends all the same.
 */
async function survived(hostility: () => Hostility): Promise<Outcome> {
  const attacked = AttackedGrid.of({ wire: true })
  const { cap } = await attacked.put(bytes)
  const honest = [...attacked.candidates]
  let slowestMs = 0
  for (const first of range(0, 4)) {
    attacked.candidates = [...honest]
    attacked.replace(range(first, first + 7), hostility)
    attacked.grid = attacked.newClient()
    const startMs = attacked.clock.monotonicMs()
    assert.deepEqual(await attacked.get(cap), bytes)
    slowestMs = Math.max(slowestMs, attacked.clock.monotonicMs() - startMs)
  }
  attacked.replace(range(0, 10), hostility)
  const verdicts = await notEnoughShares(attacked.get(cap))
  return { slowestMs, codes: new Set(verdicts.map(({ code }) => code)) }
}

/** Answers every request for blocks by this. */
function answering(answer: (id: number, end: HostileEnd) => Promise<void>): () => Hostility {
  return () => ({ onRequest: (id, _verb, end) => answer(id, end) })
}

/** What the process holds in buffers must not grow by much. */
async function withoutGrowth(work: () => Promise<Outcome>): Promise<Outcome> {
  const before = process.memoryUsage().arrayBuffers
  const outcome = await work()
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 2 ** 26, `${grown} bytes more`)
  return outcome
}

const wrongLengths: Record<string, CborValue> = {
  '2^53-1': Number.MAX_SAFE_INTEGER,
  '-1': -1,
  'a byte more than the longest answer': 17 * 2 ** 20 + 1,
  'a text': '1000',
}

describe('malicious server, wire', () => {
  it('server 17: a server that drips a byte a second is passed by', async () => {
    const { slowestMs } = await survived(
      answering(async (id, end) => {
        await end.say([2, id, 0, [0, 456], 800])
        for (let i = 0; i < 3; i++) await end.say([3, id], new Uint8Array(1))
        await never
      }),
    )
    assert.ok(slowestMs < 5000, `${slowestMs} ms`)
  })

  for (const [name, hostility] of Object.entries({
    'a request': () => ({ onRequest: () => never }),
    'a hello': () => ({ hello: silence }),
  })) {
    it(`server 18: a server that takes the connection and never answers ${name} is passed by`, async () => {
      const { slowestMs, codes } = await survived(hostility)
      assert.ok(slowestMs < 5000, `${slowestMs} ms`)
      assert.ok(codes.has('E_TIMEOUT') || codes.has('E_UNREACHABLE'), [...codes].join())
    })
  }

  for (const cut of [1, 5, 6, 10]) {
    it(`server 19: a connection closed ${cut} bytes into a frame gives no byte, and others are asked`, async () => {
      const { slowestMs } = await survived(
        answering(async (id, end) => {
          const head = encodeCbor([2, id, 0, [0, 456], 800])
          await end.raw(frameStart(head).subarray(0, cut))
          await end.channel.close()
        }),
      )
      assert.ok(slowestMs < 1000, `${slowestMs} ms`)
    })
  }

  it('server 19: a connection closed in the middle of a share gives no byte, and others are asked', async () => {
    const { slowestMs, codes } = await survived(
      answering(async (id, end) => {
        await end.say([2, id, 0, [0, 456], 800])
        await end.say([3, id], new Uint8Array(799))
        await end.channel.close()
      }),
    )
    assert.ok(slowestMs < 1000, `${slowestMs} ms`)
    assert.deepEqual([...codes], ['E_CLOSED'])
  })

  for (const [name, lead] of Object.entries({ '4 GiB': 'ffffffff0001', '2^31': '800000000001' })) {
    it(`server 21: a frame of ${name} ends the connection before anything is allocated`, async () => {
      const { codes } = await withoutGrowth(() =>
        survived(answering((_id, end) => end.raw(fromHex(lead)))),
      )
      assert.deepEqual([...codes], ['E_TOO_LARGE'])
    })
  }

  for (const [name, length] of Object.entries(wrongLengths)) {
    it(`server 7, 21: an answer whose length is ${name} ends the connection before anything is allocated`, async () => {
      const { codes } = await withoutGrowth(() =>
        survived(answering((id, end) => end.say([2, id, 0, [0, 456], length]))),
      )
      assert.deepEqual([...codes], ['E_PROTOCOL'])
    })
  }

  it('server 12: a header longer than any ends the connection before it is taken', async () => {
    const { codes } = await withoutGrowth(() =>
      survived(answering((id, end) => end.say([2, id, 0, [0, 2 ** 24], 2 ** 24]))),
    )
    assert.deepEqual([...codes], ['E_PROTOCOL'])
  })

  for (const [name, head] of Object.entries(bombs)) {
    it(`server 22: ${name} in the head of an answer is refused, and pollutes nothing`, async () => {
      const { slowestMs, codes } = await withoutGrowth(() =>
        survived(answering((_id, end) => end.raw(frameStart(head)))),
      )
      assert.ok(slowestMs < 1000, `${slowestMs} ms`)
      assert.deepEqual([...codes], ['E_CBOR'])
      assert.equal(({} as Record<string, unknown>).polluted, undefined)
    })
  }

  const strays: Record<string, (id: number) => CborValue> = {
    'answers to requests of another number': (id) => [2, id + 1000, 0, [0, 0], 0],
    'bodies of requests of another number': (id) => [3, id + 1000],
    'requests of its own': () => [1, 1, 'have', [], 0],
  }
  for (const [name, head] of Object.entries(strays)) {
    it(`server 23: ${name} are no answer, and end the connection`, async () => {
      const { codes } = await survived(
        answering(async (id, end) => {
          for (let i = 0; i < 3; i++) {
            const body = head(id)
            await end.say(body, new Uint8Array((body as number[])[0] === 3 ? 10 : 0))
          }
        }),
      )
      assert.deepEqual([...codes], ['E_PROTOCOL'])
    })
  }

  const downgrades: Record<string, CborValue> = {
    'only version 0': [0, 0, [1]],
    'only versions to come': [2, 9, [1]],
    'no suite we know': [1, 1, [2, 3]],
    'no suite at all': [1, 1, []],
  }
  for (const [name, hello] of Object.entries(downgrades)) {
    it(`server 34: a server that offers ${name} is refused, and the reason is told`, async () => {
      const { slowestMs, codes } = await survived(() => ({ hello }))
      assert.ok(slowestMs < 1000, `${slowestMs} ms`)
      assert.deepEqual([...codes], ['E_VERSION'])
      const attacked = AttackedGrid.of({ servers: 1, wire: true })
      attacked.replace([0], () => ({ hello }))
      const [{ error, status }] = await attacked.run(attacked.grid.status())
      assert.equal(status, undefined)
      assert.match(error ?? '', /^we speak version 1, they speak version|^no suite in common$/)
    })
  }
})

describe('malicious server, while a file is put', () => {
  for (const deaf of [true, false]) {
    const server = deaf ? 'a server that stops reading' : 'a server that gives no credit'
    it(`server 20: ${server} is passed by, and little is handed to it`, async () => {
      const attacked = AttackedGrid.of({ wire: true })
      const sentBytes: number[] = []
      attacked.replace([0, 1, 2], () => {
        const at = sentBytes.push(0) - 1
        return {
          onSend: (bytes) => (sentBytes[at] += bytes),
          onRequest: async (id, verb, end) => {
            if (verb === 'putShare') {
              if (deaf) end.deafen()
              return
            }
            await end.say([2, id, 0, [], 1])
            await end.say([3, id], new Uint8Array(1))
          },
        }
      })
      const file = content(2 ** 21)
      const redundancy = { k: 1, happy: 7, n: 10 }
      const { cap, servers } = await attacked.put(file, { profile: 'fixed', redundancy })
      assert.equal(servers, 7)
      assert.ok(attacked.clock.monotonicMs() < 30_000)
      assert.equal(sentBytes.length, 3)
      // a share has 2 MiB; one is under way at each of them
      for (const bytes of sentBytes) {
        assert.ok(bytes > 65_536 && bytes < 2 ** 20 + 1000, `${bytes} bytes`)
      }
      assert.deepEqual(await attacked.get(cap), file)
    })
  }

  for (const name of ['an array of 2^32-1 items', 'a map with __proto__']) {
    it(`server 22: ${name} ends a connection, and the next share goes over a new one`, async () => {
      const attacked = AttackedGrid.of({ wire: true })
      let connections = 0
      attacked.replace([0], () => {
        connections++
        return {
          onRequest: async (id, verb, end) => {
            if (connections === 1) return end.raw(frameStart(bombs[name]))
            if (verb === 'putShare') return end.say([2, id, 0, 0, 0])
            await end.say([2, id, 4, 'no', 0])
          },
        }
      })
      const [{ peer }] = attacked.candidates
      await assert.rejects(attacked.run(peer.status()), { code: 'E_CBOR' })
      const body = { shareBytes: 1, pieces: [new Uint8Array(1)] }
      const put = peer.putShare(new Uint8Array(20), 0, body)
      assert.equal(await attacked.run(put), 'stored')
      assert.equal(connections, 2)
    })
  }
})
