import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, it } from 'mocha'
import { originOf, parsePeerAddress, parseTcpAddress } from '../../src/base/multiaddr.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'

const id = peerIdOf(new Uint8Array(32).fill(1))

const good: [text: string, host: string, port: number][] = [
  ['/ip4/0.0.0.0/tcp/0', '0.0.0.0', 0],
  ['/ip4/255.255.255.255/tcp/65535', '255.255.255.255', 65535],
  ['/ip6/::/tcp/7780', '::', 7780],
  ['/ip6/2001:db8::ffff:1.2.3.4/tcp/1', '2001:db8::ffff:1.2.3.4', 1],
  ['/dns/a.example/tcp/7780', 'a.example', 7780],
  ['/dns4/xn--bcher-kva.example./tcp/7780', 'xn--bcher-kva.example.', 7780],
]

const bad = [
  ...['', '/', '/ip4', '/ip4/1.2.3.4', '/ip4/1.2.3.4/tcp', '/ip4/1.2.3.4/tcp/', '1.2.3.4:7780'],
  ...['/ip4/1.2.3/tcp/1', '/ip4/1.2.3.256/tcp/1', '/ip4/1.2.3.04/tcp/1', '/ip4/a.b.c.d/tcp/1'],
  ...['/ip4/1.2.3.4/tcp/65536', '/ip4/1.2.3.4/tcp/-1', '/ip4/1.2.3.4/tcp/01', '/ip4/::1/tcp/1'],
  ...['/ip6/1.2.3.4/tcp/1', '/ip6/1::2::3/tcp/1', '/ip6/fe80::1%eth0/tcp/1', '/ip6/]/tcp/1'],
  ...['/dns4/-a/tcp/1', '/dns4/a-/tcp/1', '/dns4/a..b/tcp/1', `/dns4/${'a'.repeat(64)}/tcp/1`],
  ...['/ip4/1.2.3.4/udp/1', '/ip4/1.2.3.4/tcp/1/ws', '/ip4/1.2.3.4/tcp/1/p2p/12D3KooW'],
  ...['/ip4/1.2.3.4/tcp/1 ', '/ip4/1.2.3.4/tcp/1\n', `/ip4/1.2.3.4/tcp/1/p2p/${id}/p2p-circuit`],
]

describe('multiaddr', () => {
  it('reads host and port of the forms TCP needs, as libp2p does', () => {
    for (const [text, host, port] of good) {
      const address = parseTcpAddress(text)
      assert.equal(address?.host, host)
      assert.equal(address.port, port)
      assert.equal(address.peerId, undefined)
      multiaddr(text)
    }
  })

  it('refuses every other form', () => {
    for (const text of bad) assert.equal(parseTcpAddress(text), undefined, text)
  })

  it('gives the peer and how to reach it', () => {
    for (const [text, , port] of good) {
      const target = { id, addresses: [text] }
      assert.deepEqual(parsePeerAddress(`${text}/p2p/${id}`), port === 0 ? undefined : target)
      assert.equal(parsePeerAddress(text), undefined)
    }
  })

  it('takes an IPv4 address for one origin, and a /64 of IPv6', () => {
    assert.equal(originOf('/ip4/203.0.113.7/tcp/1'), '203.0.113.7')
    assert.equal(originOf('/ip6/2001:DB8:1:2:3::/tcp/1'), originOf('/ip6/2001:db8:1:2::9/tcp/7'))
    assert.notEqual(originOf('/ip6/2001:db8:1:2::/tcp/1'), originOf('/ip6/2001:db8:1:3::/tcp/1'))
    assert.equal(originOf('/ip6/::1/tcp/1'), '0:0:0:0')
    assert.equal(originOf('unix'), 'unix')
  })

  it('answers a long text at once', () => {
    const long = `/dns4/${'a.'.repeat(50_000)}/tcp/1`
    assert.equal(parseTcpAddress(long), undefined)
  })
})
