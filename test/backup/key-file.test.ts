import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import fc from 'fast-check'
import {
  lockKeyFile,
  maxKeyFileBytes,
  openKeyFile,
  parseKeyFile,
  type ScryptCost,
} from '../../src/backup/keys/key-file.ts'
import { formatKeyList, parseKeyList } from '../../src/backup/keys/key-list.ts'
import { type BackupCaps, backupCapsOf } from '../../src/backup/keys/keyring.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { checkVector, readVectors } from '../vectors/read.ts'

interface Locking {
  text: string
  passphrase: string
  salt: string
  cost: ScryptCost
}

const small = { logN: 10, r: 1, p: 1 }
const random = new SystemRandom()
const operations = {
  'keyfile-open': ({ file, passphrase }: { file: string; passphrase: string }) =>
    openKeyFile(parseKeyFile(file), async () => passphrase),
  'keyfile-lock': ({ text, passphrase, salt, cost }: Locking) =>
    lockKeyFile(text, passphrase, { cost, random: { bytes: () => fromHex(salt) } }),
}

describe('key file', () => {
  for (const vector of readVectors('keyfile')) {
    it(vector.id, () => checkVector(vector, operations))
  }

  it('asks for a passphrase only where there is one, and after all else was checked', async () => {
    const never = async (): Promise<string> => assert.fail('asked')
    const locked = await lockKeyFile('text', 'right', { random, cost: small })
    assert.throws(() => parseKeyFile(locked.replace('scrypt 10', 'scrypt 30')), isFileError)
    const plain = readVectors('keyfile').find(({ id }) => id === 'open: plain')!
    assert.equal(await openKeyFile(parseKeyFile(String(plain.in.file)), never), plain.out)
  })

  it('is another each time, and never holds its text', async () => {
    const texts = [1, 2].map(() => lockKeyFile('log backup\n', 'x', { random, cost: small }))
    const [one, two] = await Promise.all(texts)
    assert.notEqual(one.split('\n')[1], two.split('\n')[1])
    for (const line of one.split('\n')) assert.ok(line.length <= 80)
  })

  it('takes no passphrase that is empty or endless', async () => {
    for (const passphrase of ['', 'x'.repeat(1025)]) {
      await assert.rejects(lockKeyFile('text', passphrase, { random, cost: small }), (error) =>
        isGridError(error, 'E_USAGE'),
      )
    }
  })

  it('is refused cut short at any place, changed at any place, and never breaks', async () => {
    const file = await lockKeyFile('text\n', 'right', { random, cost: small })
    const whole = file.trimEnd()
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => parseKeyFile(whole.slice(0, length)), isFileError)
    }
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.constantFrom('a', '7', ' ', '\n', ':'),
        (at, other) => {
          try {
            parseKeyFile(`${whole.slice(0, at)}${other}${whole.slice(at + 1)}`)
          } catch (error) {
            assert.ok(isGridError(error, 'E_FILE', 'E_VERSION'), String(error))
          }
        },
      ),
    )
    assert.throws(() => parseKeyFile('x'.repeat(maxKeyFileBytes + 1)), isFileError)
  })
})

describe('key list', () => {
  const logId = new Uint8Array(32).fill(9)
  const seed = (value: number): Uint8Array => new Uint8Array(32).fill(value)
  const admin = { type: 'LOG-Admin', adminSeed: seed(1), logId } as const
  const append = {
    ...({ type: 'LOG-Append', deviceSeed: seed(2), convergenceSecret: seed(3) } as const),
    logId,
  }
  const none = { introducers: [], peers: [], name: 'main', allowPrivate: false }
  const location = { ...none, disks: ['/mnt/a b'] }
  const logs = new Map<string, BackupCaps>([
    ['backup', backupCapsOf([admin, append])],
    ['blind', backupCapsOf([append])],
  ])
  const text = formatKeyList({ location, logs })

  it('is read as it was written', () => {
    assert.deepEqual(parseKeyList(text), { location, logs })
    assert.deepEqual(parseKeyList(formatKeyList({ location, logs: new Map() })).logs, new Map())
  })

  it('is refused in any other form, and quotes nothing', () => {
    const [at, log, cap] = text.split('\n')
    for (const other of [
      '',
      at.replace(/ check .*/, ''),
      at.replace('%20', '%21'),
      text.replace(at, ''),
      `${at}\n${cap}`,
      `${at}\n${log}\n`,
      `${at}\nlog ../x\n${cap}`,
      `${text}${log}\n${cap}`,
      `${at}\n${log}\n${cap}\n${cap}`,
      `${at}\n${log}\nURI:x`,
      `${at}\n${log}\n${cap}x`,
      `${at}\n${`${log}\n`.repeat(300)}`,
    ]) {
      assert.throws(
        () => parseKeyList(other),
        (error) => {
          assert.ok(isGridError(error, 'E_FILE'), other)
          assert.doesNotMatch(`${error.message}${String(error.cause)}`, /URI|mnt/)
          return true
        },
      )
    }
  })
})

function isFileError(error: unknown): boolean {
  return isGridError(error, 'E_FILE', 'E_VERSION')
}
