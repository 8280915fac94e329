import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../src/base/disk.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { SystemRandom } from '../../src/base/random.ts'
import type { Grant } from '../../src/members/invite-protocol.ts'
import { parseConfig } from '../../src/node/home/config.ts'
import { type Home, homeAt, initHome, readConfig } from '../../src/node/home/home.ts'
import { joinHome } from '../../src/node/join-home.ts'

const keyOf = (i: number): Uint8Array => publicKeyOfSeed(new Uint8Array(32).fill(i))
const introducer = (i: number): string => `/ip4/192.0.2.${i}/tcp/7780/p2p/${peerIdOf(keyOf(i))}`

function grantOf(changed: Partial<Grant>): Grant {
  return {
    ...{ gridName: 'main', introducers: [introducer(1)], mode: 'open', listed: [] },
    ...{ gridKey: undefined, certificate: undefined, psk: undefined, allowPrivate: false },
    ...{ kindBits: 3, ...changed },
  }
}

const signed = (key: number, by: number): Grant =>
  grantOf({
    ...{ mode: 'signed', gridKey: keyOf(key), certificate: new Uint8Array(100).fill(key) },
    introducers: [introducer(by)],
  })

describe('joining with a home', () => {
  let home: Home
  const disk = new SystemDisk()

  beforeEach(async () => {
    home = homeAt(await fs.mkdtemp(path.join(os.tmpdir(), 'grid-join-home-')))
    await initHome(home, { config: '', random: new SystemRandom() })
  })
  afterEach(() => fs.rm(home.path, { recursive: true }))

  /** Which of the caches are left after joining by `grant`. */
  async function leftAfter(grant: Grant): Promise<string[]> {
    await fs.mkdir(home.cache, { recursive: true })
    for (const name of ['peers', 'announcements', 'uploads', 'revoked']) {
      await fs.writeFile(path.join(home.cache, name), 'x')
    }
    await joinHome(home, disk, grant)
    return (await fs.readdir(home.cache)).sort()
  }

  it('writes what was granted, and forgets the nodes of the grid before', async () => {
    const all = ['announcements', 'peers', 'revoked', 'uploads']
    await joinHome(home, disk, grantOf({}))
    assert.deepEqual(await leftAfter(grantOf({ introducers: [introducer(2), introducer(1)] })), all)
    assert.deepEqual(await leftAfter(grantOf({ introducers: [introducer(3)] })), ['revoked'])
    assert.deepEqual(await leftAfter(signed(1, 3)), ['revoked'], 'one of another mode')
    assert.deepEqual(await leftAfter(signed(1, 4)), all, 'the grid is its key')
    assert.deepEqual(await leftAfter(signed(2, 4)), ['revoked'])
    const { grid } = parseConfig(await readConfig(home), [], home.path)
    assert.deepEqual(grid.key, keyOf(2))
    assert.equal(grid.introducers[0].id, peerIdOf(keyOf(4)))
  })

  it('changes nothing with a config that it cannot change', async () => {
    await fs.writeFile(home.config, '[grid\n')
    await assert.rejects(joinHome(home, disk, signed(1, 1)))
    assert.deepEqual((await fs.readdir(home.path)).sort(), [
      'config.toml',
      'format',
      'leases',
      'private',
    ])
  })
})
