import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { receiptTimeOf } from '../../src/log/receipt-times.ts'

const servers = Array.from({ length: 10 }, (_, i) => new Uint8Array(32).fill(i + 1))

function receipt(i: number, receivedMs: number, late = false) {
  return { node: servers[i], receivedMs, late, signature: new Uint8Array(64) }
}

describe('the time of receipts', () => {
  // of ten servers three may lie, and seven make a quorum
  const honest = [4, 5, 6, 7].map((i) => receipt(i, 1000 + i))

  it('lies among those of honest servers, whatever three others say', () => {
    for (const lie of [0, 1001, 10 ** 15]) {
      const time = receiptTimeOf([...honest, ...[0, 1, 2].map((i) => receipt(i, lie))], { servers })
      assert.ok(time! >= 1004 && time! <= 1007, `${lie}: ${time}`)
    }
  })

  it('is none with fewer than a quorum, and those that came late do not count', () => {
    assert.equal(receiptTimeOf(honest, { servers }), undefined)
    const late = [0, 1, 2].map((i) => receipt(i, 5, true))
    assert.equal(receiptTimeOf([...honest, ...late], { servers }), undefined)
  })

  it('counts a server once, and no server that is none of the log', () => {
    const again = [0, 0, 0, 4].map((i) => receipt(i, 5))
    assert.equal(receiptTimeOf([...honest, ...again], { servers }), undefined)
    const strangers = [1, 2, 3].map((i) => ({
      ...receipt(0, 5),
      node: new Uint8Array(32).fill(200 + i),
    }))
    assert.equal(receiptTimeOf([...honest, ...strangers], { servers }), undefined)
  })

  it('is that of the only server where there is one', () => {
    assert.equal(receiptTimeOf([receipt(0, 77)], { servers: servers.slice(0, 1) }), 77)
  })
})
