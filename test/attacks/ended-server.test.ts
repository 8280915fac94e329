/** A server whose process is told to end in the midst of a put. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { ChildNode, type Listening } from '../../src/cli/demo/child-node.ts'
import { connectStorage } from '../../src/node/peers/connect-storage.ts'
import type { Connection } from '../../src/node/peers/dialled-peer.ts'
import { openLibp2pNet } from '../../src/node/net/libp2p-net.ts'
import { makeHome } from '../../src/node/open-grid.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { getShare, heldBody } from '../suites/storage-peer.ts'

const program = 'dist/src/cli/main.js'
const clock = new SystemClock()
const large = makeObject({ ciphertextBytes: 2 ** 22, k: 1, n: 1 })
const [share] = large.shares

describe('a server that is told to end', function () {
  this.timeout(60_000)
  let home: string
  let node: ChildNode
  let closing: (() => Promise<void>)[]

  beforeEach(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'grid-ended-'))
    closing = []
    await makeHome(home, [
      { path: 'node.listen', value: ['/ip4/127.0.0.1/tcp/0'], source: 'test' },
      { path: 'storage.enabled', value: true, source: 'test' },
      { path: 'storage.reserve', value: '1MiB', source: 'test' },
    ])
  })

  afterEach(async () => {
    for (const close of closing) await close()
    await node.stop()
    rmSync(home, { recursive: true })
  })

  function start(): Promise<Listening> {
    node = new ChildNode(program, ['node', 'run'], home)
    return node.listening
  }

  async function connect({ peerId, addresses }: Listening): Promise<Connection> {
    const net = await openLibp2pNet({ seed: new Uint8Array(32).fill(9), listen: [] })
    closing.push(() => net.close())
    const [address] = addresses[0].split('/p2p/')
    const channel = await net.dial({ id: peerId, addresses: [address] }, storageProtocol)
    return connectStorage(peerId, channel, { clock })
  }

  const files = (): string[] =>
    readdirSync(path.join(home, 'storage'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.\d+(\.|$)/.test(entry.name))
      .map(({ parentPath }) => path.relative(path.join(home, 'storage'), parentPath).split('/')[0])
      .filter((folder) => folder !== 'holds')

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`client 32: of a put that ${signal} cuts short nothing is left, and the same client puts it again`, async () => {
      const { peer } = await connect(await start())
      const body = heldBody(share)
      const put = peer.putShare(large.storageIndex, 0, body)
      const outcome = put.catch((error: unknown) => (error as { code?: string }).code)
      await body.reached
      while (files().length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      assert.deepEqual(files(), ['incoming'])
      if (signal === 'SIGKILL') await node.kill()
      else await node.stop()
      body.go()
      // not acknowledged, and said so by a code
      assert.match(String(await outcome), /^E_(CLOSED|UNREACHABLE|TIMEOUT|PROTOCOL)$/)
      if (signal === 'SIGTERM') assert.deepEqual(files(), [])
      const again = await connect(await start())
      assert.deepEqual(files(), [])
      assert.deepEqual(await again.peer.have([large.storageIndex]), [[]])
      assert.equal(await again.peer.putShare(large.storageIndex, 0, bodyOf(share)), 'stored')
      assert.deepEqual(await getShare(again.peer, large.storageIndex, 0), share)
      assert.deepEqual(files(), ['shares'])
    })
  }
})
