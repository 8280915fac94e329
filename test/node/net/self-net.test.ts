import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../../src/base/errors.ts'
import type { ChannelHandler, Net } from '../../../src/base/net.ts'
import { type Channel, channelPair } from '../../../src/base/channel.ts'
import { SelfNet } from '../../../src/node/net/self-net.ts'

/** A network that notes what it is asked for. */
function notingNet(): Net & { asked: string[] } {
  const asked: string[] = []
  return {
    id: 'me',
    asked,
    addresses: () => ['/ip4/192.0.2.1/tcp/1'],
    dial: async (target, protocol) => {
      asked.push(`dial ${target.id} ${protocol}`)
      return channelPair()[0]
    },
    handle: (protocol) => void asked.push(`handle ${protocol}`),
    connectionCount: () => 0,
    close: async () => void asked.push('close'),
  }
}

async function readAll(channel: Channel): Promise<string> {
  let text = ''
  for await (const piece of channel.source) text += Buffer.from(piece).toString()
  return text
}

const echo: ChannelHandler = async (channel) => {
  await channel.send([Buffer.from(`${channel.remoteId} said ${await readAll(channel)}`)])
  await channel.close()
}

describe('SelfNet', () => {
  it('carries channels to itself in memory, and all else over the network', async () => {
    const inner = notingNet()
    const net = new SelfNet(inner)
    net.handle('/echo', echo)
    const channel = await net.dial({ id: 'me', addresses: [] }, '/echo')
    await channel.send([Buffer.from('hello')])
    await channel.close()
    assert.equal(await readAll(channel), 'me said hello')
    await net.dial({ id: 'you', addresses: [] }, '/echo')
    assert.deepEqual(inner.asked, ['handle /echo', 'dial you /echo'])
    assert.deepEqual([net.id, net.addresses()], ['me', inner.addresses()])
  })

  it('does not reach a protocol that it does not handle', async () => {
    const net = new SelfNet(notingNet())
    await assert.rejects(net.dial({ id: 'me', addresses: [] }, '/echo'), (error) =>
      isGridError(error, 'E_UNREACHABLE'),
    )
  })

  it('breaks a channel whose handler fails, and all of them when it closes', async () => {
    const inner = notingNet()
    const net = new SelfNet(inner)
    net.handle('/fails', async () => {
      throw new Error('broken')
    })
    net.handle('/waits', async (channel) => {
      await readAll(channel)
    })
    const target = { id: 'me', addresses: [] }
    const failing = await net.dial(target, '/fails')
    await assert.rejects(readAll(failing), (error) => isGridError(error, 'E_CLOSED'))
    const waiting = await net.dial(target, '/waits')
    await net.close()
    await assert.rejects(readAll(waiting), (error) => isGridError(error, 'E_CLOSED'))
    assert.equal(inner.asked.at(-1), 'close')
  })
})
