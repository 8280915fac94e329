import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { addressScope, usableAddresses } from '../../src/introducer/address-scope.ts'

const hosts4 = {
  public: [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
    ...[
      '192.0.1.0',
      '192.167.255.255',
      '192.169.0.0',
      '198.17.255.255',
      '198.20.0.0',
      '203.0.113.7',
    ],
    '223.255.255.255',
  ],
  private: [
    ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255'],
    ...['127.0.0.1', '127.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
    ...['172.16.0.0', '172.31.255.255', '192.0.0.1', '192.168.0.0', '192.168.255.255'],
    ...['198.18.0.0', '198.19.255.255', '224.0.0.1', '239.255.255.255', '240.0.0.0'],
    '255.255.255.255',
  ],
}
const hosts6 = {
  public: ['2000::1', '2001:1::1', '2001:db8::7', '2606:4700::1111', '2003::', '3fff:ffff::1'],
  private: [
    ...['::', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1'],
    ...[
      '64:ff9b::7f00:1',
      '1fff::1',
      '4000::1',
      'fc00::1',
      'fdff::1',
      'fe80::1',
      'febf::1',
      'ff02::1',
    ],
    ...['2002:7f00:1::1', '2001::1', '2001:0:7f00::1', '2001:0000:0:0::1', 'FE80::1'],
  ],
}
const unknown = [
  ...['', 'memory', '127.0.0.1', '/ip4/8.8.8.8', '/ip4/8.8.8.8/tcp/0', '/ip4/8.8.8.8/udp/53'],
  ...[
    '/ip4/127.1/tcp/80',
    '/ip4/0177.0.0.1/tcp/80',
    '/ip4/2130706433/tcp/80',
    '/ip4/8.8.8.08/tcp/1',
  ],
  ...['/dns4/localhost/tcp/80', '/dns/metadata.google.internal/tcp/80', '/dns4/example.org/tcp/80'],
  ...['/ip6/fe80::1%eth0/tcp/1', '/unix/run/socket', '/ip6zone/eth0/ip6/fe80::1/tcp/1'],
]

describe('address scope', () => {
  for (const scope of ['public', 'private'] as const) {
    it(`knows ${scope} addresses, at the edges of each block`, () => {
      for (const host of hosts4[scope])
        assert.equal(addressScope(`/ip4/${host}/tcp/1`), scope, host)
      for (const host of hosts6[scope])
        assert.equal(addressScope(`/ip6/${host}/tcp/1`), scope, host)
    })
  }

  it('calls names, and forms that are not TCP, unknown', () => {
    for (const address of unknown) assert.equal(addressScope(address), 'unknown', address)
  })

  it('server 33: loopback, private and metadata addresses are dropped unless allowed', () => {
    const announced = [
      '/ip4/127.0.0.1/tcp/7780',
      '/ip4/169.254.169.254/tcp/80',
      '/ip4/203.0.113.7/tcp/7780',
      '/ip6/fe80::1/tcp/7780',
      '/ip6/::ffff:10.0.0.1/tcp/7780',
      '/dns4/localhost/tcp/7780',
      '/ip6/2001:db8::7/tcp/7780',
    ]
    const usable = ['/ip4/203.0.113.7/tcp/7780', '/ip6/2001:db8::7/tcp/7780']
    assert.deepEqual(usableAddresses(announced, { allowPrivate: false }), usable)
    assert.deepEqual(usableAddresses(announced, { allowPrivate: true }), announced)
  })

  it('is total, and lets nothing else through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.deepEqual(usableAddresses([text], { allowPrivate: false }), [])
      }),
    )
  })
})
