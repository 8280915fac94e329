import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type BackupCaps, backupCapsOf, Keyring } from '../../src/backup/keys/keyring.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import { formatCap } from '../../src/caps/text.ts'
import { type Home, homeAt, initHome, openHome } from '../../src/node/home/home.ts'

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const logId = bytes(9)
const admin: CapOf<'LOG-Admin'> = { type: 'LOG-Admin', adminSeed: bytes(1), logId }
const read = attenuate(admin, 'LOG-Read')
const append: CapOf<'LOG-Append'> = {
  ...{ type: 'LOG-Append', deviceSeed: bytes(2), convergenceSecret: bytes(3), logId },
}
const all: BackupCaps = { append, read, admin }

function refused(code: ErrorCode, work: () => unknown): void {
  assert.throws(work, (error) => isGridError(error, code))
}

describe('Keyring', () => {
  const random = new SystemRandom()
  let home: Home
  let keyring: Keyring

  beforeEach(async () => {
    home = homeAt(await fs.mkdtemp(path.join(os.tmpdir(), 'grid-keyring-')))
    await initHome(home, { config: '', random })
    keyring = new Keyring({ home, disk: new SystemDisk(), random })
  })

  afterEach(() => fs.rm(home.path, { recursive: true }))

  const fileOf = (name: string): string => path.join(home.private, 'backups', name)

  it('keeps the caps of a log in a file of the home, a cap a line', async () => {
    await keyring.add('backup', all)
    assert.deepEqual(await keyring.get('backup'), all)
    assert.deepEqual(await keyring.names(), ['backup'])
    const lines = [append, read, admin].map((cap) => `${formatCap(cap)}\n`)
    assert.equal(await fs.readFile(fileOf('backup'), 'utf8'), lines.join(''))
    assert.equal((await fs.stat(fileOf('backup'))).mode & 0o777, 0o600)
  })

  it('holds what it was given and no more', async () => {
    await keyring.add('blind', { append, read: undefined, admin: undefined })
    assert.deepEqual(await keyring.find('blind'), { append, read: undefined, admin: undefined })
    await keyring.add('reader', { append: undefined, read, admin: undefined })
    assert.deepEqual(await keyring.find('reader'), { append: undefined, read, admin: undefined })
    await keyring.add('ruler', { append: undefined, read: undefined, admin })
    assert.deepEqual(await keyring.find('ruler'), { append: undefined, read, admin })
  })

  it('lets go of the admin cap', async () => {
    await keyring.add('backup', all)
    await keyring.replace('backup', { ...all, admin: undefined })
    assert.deepEqual(await keyring.get('backup'), { append, read, admin: undefined })
    assert.doesNotMatch(await fs.readFile(fileOf('backup'), 'utf8'), /Admin/)
    assert.deepEqual(await fs.readdir(path.join(home.private, 'backups')), ['backup'])
  })

  it('says how to make a log that is not there, or which there are', async () => {
    const hintOf = async (): Promise<string | undefined> => {
      const error: unknown = await keyring.get('backup').catch((cause: unknown) => cause)
      assert.ok(isGridError(error, 'E_USAGE'))
      return error.hint
    }
    assert.match((await hintOf())!, /grid backup init/)
    await keyring.add('photos', all)
    assert.match((await hintOf())!, /photos/)
  })

  it('is refused with the home where others may read it', async () => {
    await keyring.add('backup', all)
    await openHome(home)
    await fs.chmod(fileOf('backup'), 0o640)
    await assert.rejects(openHome(home), (error) => isGridError(error, 'E_PERMISSIONS'))
    await fs.chmod(fileOf('backup'), 0o600)
    await fs.chmod(path.dirname(fileOf('backup')), 0o711)
    await assert.rejects(openHome(home), (error) => isGridError(error, 'E_PERMISSIONS'))
  })

  it('takes caps of one log, each once', async () => {
    assert.deepEqual(backupCapsOf([admin, append, read]), all)
    const other = { ...append, logId: bytes(8) }
    const stranger = { ...read, readSeed: bytes(7) }
    refused('E_USAGE', () => backupCapsOf([]))
    refused('E_USAGE', () => backupCapsOf([append, append]))
    refused('E_USAGE', () => backupCapsOf([other, read]))
    refused('E_USAGE', () => backupCapsOf([stranger, admin]))
    refused('E_USAGE', () => backupCapsOf([append, attenuate(read, 'LOG-Verify')]))
    const none = { append: undefined, read: undefined, admin: undefined }
    await assert.rejects(keyring.add('none', none), (error) => isGridError(error, 'E_USAGE'))
    await keyring.add('backup', all)
    const mixed = { ...all, append: other }
    await assert.rejects(keyring.replace('backup', mixed), (error) => isGridError(error, 'E_USAGE'))
    assert.deepEqual(await keyring.get('backup'), all)
  })
})
