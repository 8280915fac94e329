/**
 * The limit of a put: the same bytes of shares sent to as many processes over the same network
 * (TCP, Noise, yamux), with nothing cut, coded, checked or written.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { u32be } from '../src/base/bytes.ts'
import type { Channel } from '../src/base/channel.ts'
import type { PeerTarget } from '../src/base/net.ts'
import { openLibp2pNet } from '../src/node/net/libp2p-net.ts'

export const sinkProtocol = '/grid/bench-sink/1'

/** Bytes in one send, as the outbox has them. */
const batchBytes = 512 * 1024

/**
 * Seconds that sending `bytes` to each of `processes` takes, each of `rounds` times.
 */
export async function fanOut(processes: number, bytes: number, rounds: number): Promise<number[]> {
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, [path.join(import.meta.dirname, 'sink.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const net = await openLibp2pNet({ seed: randomBytes(32), listen: [] })
  try {
    const targets = await Promise.all(children.map(firstLine))
    const channels = await Promise.all(targets.map((target) => net.dial(target, sinkProtocol)))
    const answers = channels.map((channel) => channel.source[Symbol.asyncIterator]())
    const batch = new Uint8Array(randomBytes(batchBytes))
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await Promise.all(
        channels.map(async (channel, i) => {
          await sendAll(channel, batch, bytes)
          await answers[i].next()
        }),
      )
      seconds.push((performance.now() - start) / 1000)
    }
    return seconds
  } finally {
    await net.close()
    for (const child of children) child.kill()
  }
}

async function sendAll(channel: Channel, batch: Uint8Array, bytes: number): Promise<void> {
  await channel.send([u32be(bytes)])
  for (let sent = 0; sent < bytes; sent += batch.length) {
    await channel.send([batch.subarray(0, bytes - sent)])
  }
}

async function firstLine(child: ChildProcess): Promise<PeerTarget> {
  for await (const line of createInterface(child.stdout!)) return JSON.parse(line) as PeerTarget
  throw new Error('a sink ended before it said anything')
}
