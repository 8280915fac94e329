import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { domainOf, labelsOf, networkOf } from '../../../src/node/placement/failure-domain.ts'

describe('failure domain', () => {
  it('is any number of labels', () => {
    assert.deepEqual(labelsOf(undefined), [])
    assert.deepEqual(labelsOf(' , '), [])
    assert.deepEqual(labelsOf('attic'), ['attic'])
    assert.deepEqual(labelsOf('site=berlin, operator=alice,site=berlin'), [
      'site=berlin',
      'operator=alice',
    ])
  })

  it('counts a bounded number of labels', () => {
    assert.equal(labelsOf(Array.from({ length: 100 }, (_, i) => `l${i}`).join(',')).length, 16)
  })

  it('has the /24 or the /48 of a public address', () => {
    assert.equal(networkOf('/ip4/198.51.7.200/tcp/7780'), 'net=198.51.7.0/24')
    assert.equal(networkOf('/ip6/2a01:4f8:0:a::1/tcp/1'), 'net=2a01:4f8:0::/48')
    assert.equal(networkOf('/ip6/2a01:4f8::1/tcp/1'), 'net=2a01:4f8:0::/48')
    assert.equal(networkOf('/ip6/2a01::1/tcp/1'), 'net=2a01:0:0::/48')
  })

  it('knows no network of private addresses, nor of names', () => {
    const addresses = [
      ...['/ip4/127.0.0.1/tcp/1', '/ip4/192.168.1.2/tcp/1', '/ip6/::1/tcp/1', '/ip6/fe80::1/tcp/1'],
      ...['/dns4/a.example/tcp/1', 'rubbish'],
    ]
    for (const address of addresses) assert.equal(networkOf(address), undefined, address)
    assert.equal(domainOf('', addresses), undefined)
  })

  it('adds the network to what a server says of itself', () => {
    const addresses = ['/ip4/198.51.7.200/tcp/1', '/ip4/198.51.7.200/tcp/2']
    assert.equal(domainOf('operator=eve', addresses), 'net=198.51.7.0/24,operator=eve')
  })

  it('takes no network from what a server says', () => {
    assert.equal(domainOf('net=198.51.7.0/24,attic', []), 'attic')
  })

  it('lets no server push its network out by labels of its own', () => {
    const many = Array.from({ length: 40 }, (_, i) => `a${i}`).join(',')
    assert.ok(labelsOf(domainOf(many, ['/ip4/198.51.7.200/tcp/1'])).includes('net=198.51.7.0/24'))
  })
})
