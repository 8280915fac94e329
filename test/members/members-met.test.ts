import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Disk } from '../../src/base/disk.ts'
import { MembersMet } from '../../src/members/members-met.ts'
import { ManualClock } from '../cli/fake-world.ts'
import { altered } from '../sim/altered.ts'
import { Machine } from '../storage/machine.ts'

const publicKey = new Uint8Array(32).fill(7)
const member = { publicKey, quotaBytes: 500, notAfterMs: 1000, serial: 4 }

describe('members that were met', () => {
  it('are remembered by their newest certificate', () => {
    const met = new MembersMet({ clock: new ManualClock(), isRevoked: () => false })
    assert.equal(met.get(publicKey), undefined)
    met.meet(member)
    met.meet({ ...member, serial: 5, notAfterMs: 2000 })
    met.meet({ ...member, serial: 3, notAfterMs: 9000 })
    assert.deepEqual(met.get(publicKey), { ...member, serial: 5, notAfterMs: 2000, revokedMs: 0 })
  })

  it('are revoked from when on it was first known, and no more with a new certificate', () => {
    const clock = new ManualClock()
    const revoked = new Set<number>()
    const met = new MembersMet({ clock, isRevoked: (serial) => revoked.has(serial) })
    met.meet(member)
    revoked.add(4)
    clock.advance(600)
    met.noteRevoked()
    clock.advance(600)
    met.noteRevoked()
    assert.equal(met.get(publicKey)?.revokedMs, 600)
    met.meet({ ...member, serial: 5 })
    assert.equal(met.get(publicKey)?.revokedMs, 0)
  })

  it('are written together where a founder meets all of its book', async () => {
    const machine = await new Machine('book').init()
    const mounted = machine.disk.mount(machine.clock)
    let writes = 0
    const disk = altered<Disk>(mounted, {
      create: (path) => {
        writes++
        return mounted.create(path)
      },
    })
    const keptAt = { disk, path: 'home/met' }
    const parts = { clock: new ManualClock(), isRevoked: () => false, keptAt }
    const met = await machine.run(MembersMet.open(parts))
    for (let i = 0; i < 200; i++) met.meet({ ...member, publicKey: new Uint8Array(32).fill(i) })
    await machine.run(met.saved())
    assert.equal(writes, 1)
    const again = await machine.run(MembersMet.open(parts))
    assert.equal(again.get(new Uint8Array(32).fill(199))?.serial, 4)
  })

  it('outlive the process, and a damaged file is as good as none', async () => {
    const machine = await new Machine('met').init()
    const disk = machine.disk.mount(machine.clock)
    const keptAt = { disk, path: 'home/met' }
    const clock = new ManualClock()
    clock.advance(50)
    const parts = { clock, isRevoked: () => true, keptAt }
    const met = await machine.run(MembersMet.open(parts))
    met.meet(member)
    await machine.run(met.saved())
    clock.advance(50)
    const again = await machine.run(MembersMet.open(parts))
    assert.deepEqual(again.get(publicKey), { ...member, revokedMs: 50 })
    const file = await machine.run(disk.create('home/other'))
    await machine.run(file.write([Uint8Array.of(0x82, 1, 0x81, 0x80)], 0))
    await machine.run(file.close())
    const damaged = { ...parts, keptAt: { disk, path: 'home/other' } }
    assert.equal((await machine.run(MembersMet.open(damaged))).get(publicKey), undefined)
  })
})
