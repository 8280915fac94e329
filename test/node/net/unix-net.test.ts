import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { concat } from '../../../src/base/bytes.ts'
import type { Channel } from '../../../src/base/channel.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { connectUnix, listenUnix, type UnixListener } from '../../../src/node/net/unix-net.ts'

async function all(channel: Channel): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of channel.source) pieces.push(piece)
  return concat(...pieces)
}

describe('unix net', () => {
  let directory: string
  let socket: string
  let listener: UnixListener | undefined

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'grid-unix-'))
    socket = path.join(directory, 'node.sock')
  })

  afterEach(async () => {
    await listener?.close()
    listener = undefined
    await rm(directory, { recursive: true })
  })

  it('carries bytes both ways, and lets what was sent arrive', async () => {
    listener = await listenUnix(socket, async (channel) => {
      const received = await all(channel)
      await channel.send([received, Uint8Array.of(9)])
      await channel.close()
    })
    const channel = await connectUnix(socket)
    const sent = new Uint8Array(3_000_000).fill(7)
    await channel.send([sent, Uint8Array.of(8)])
    await channel.close()
    assert.deepEqual(await all(channel), concat(sent, Uint8Array.of(8, 9)))
  })

  it('is for its owner alone', async () => {
    listener = await listenUnix(socket, async () => {})
    assert.equal((await stat(socket)).mode & 0o777, 0o600)
  })

  it('replaces what an earlier process left', async () => {
    await writeFile(socket, '')
    listener = await listenUnix(socket, async (channel) => channel.close())
    assert.deepEqual(await all(await connectUnix(socket)), new Uint8Array(0))
  })

  it('says that nobody listens', async () => {
    await assert.rejects(connectUnix(socket), (error) => isGridError(error, 'E_UNREACHABLE'))
  })

  it('refuses a path that is too long for a socket', async () => {
    const long = path.join(directory, 'x'.repeat(120))
    await assert.rejects(
      listenUnix(long, async () => {}),
      (error) => isGridError(error, 'E_CONFIG'),
    )
  })

  it('throws E_CLOSED once the other side has broken off', async () => {
    listener = await listenUnix(socket, async (channel) => channel.abort(new Error('enough')))
    const channel = await connectUnix(socket)
    await all(channel).catch(() => undefined)
    const sending = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await channel.send([new Uint8Array(100_000)])
    }
    await assert.rejects(sending(), (error) => isGridError(error, 'E_CLOSED'))
  })

  it('ends its connections when it is closed', async () => {
    listener = await listenUnix(socket, async () => {})
    const channel = await connectUnix(socket)
    await listener.close()
    await all(channel).catch(() => undefined)
    await assert.rejects(connectUnix(socket), (error) => isGridError(error, 'E_UNREACHABLE'))
  })
})
