import { type BackupCaps, backupCapsOf, type Keyring } from '../../backup/keys/keyring.ts'
import { maxKeyFileBytes, openKeyFile, parseKeyFile } from '../../backup/keys/key-file.ts'
import { parseKeyList } from '../../backup/keys/key-list.ts'
import { equalBytes } from '../../base/bytes.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { formatLocation, settingsOf } from '../../node/home/grid-location.ts'
import { openHome } from '../../node/home/home.ts'
import { command, type Command } from '../command.ts'
import { keyringOf, readLocationOfHome } from '../home-config.ts'
import { makeHome, noStorage } from '../make-home.ts'
import { text } from '../option.ts'
import { knownPassphrase, passphraseOptions } from '../passphrase.ts'
import { readTextFile } from '../text-file.ts'

export const keysImport: Command = command({
  arguments: [{ name: 'FILE', summary: 'what `grid keys export` wrote' }],
  options: {
    log: text('--log <NAME>', 'take this log of the file alone'),
    as: text('--as <NAME>', 'with --log: what to call it here'),
    ...passphraseOptions,
  },
  examples: [
    ['grid keys import keys.txt', 'take the caps in the file into this home'],
    ['grid keys import --log backup --as old keys.txt', 'one of them, under another name'],
  ],
  async run(context, { positionals: [file], options }) {
    const { output } = context
    const { log, as, passphraseFile } = options
    if (as !== undefined && log === undefined) throw new GridError('E_USAGE', '--as needs --log')
    const parsed = parseKeyFile(await readTextFile(file, maxKeyFileBytes))
    const content = await openKeyFile(parsed, () => knownPassphrase(passphraseFile, context))
    const { location, logs } = parseKeyList(content)
    const wanted = [...logs].filter(([name]) => log === undefined || name === log)
    if (wanted.length === 0) throw new GridError('E_USAGE', 'the file holds no such log')
    if (!(await isHome(context))) {
      await makeHome(context, [...settingsOf(location, 'the key file'), noStorage('keys import')])
    } else if (formatLocation(await readLocationOfHome(context)) !== formatLocation(location)) {
      await output.warning('the file names another grid than this home uses: its logs may be there')
    }
    const keyring = keyringOf(context)
    const merged: [name: string, caps: BackupCaps, isKnown: boolean][] = []
    for (const [name, caps] of wanted) merged.push(await mergedInto(keyring, as ?? name, caps))
    for (const [name, caps, isKnown] of merged) {
      await (isKnown ? keyring.replace(name, caps) : keyring.add(name, caps))
    }
    if (merged.some(([, { append }]) => append !== undefined)) {
      output.note(
        'an append cap is for one machine at a time: while another uses it, get one of its own with grid log grant',
      )
    }
    const names = merged.map(([name]) => name)
    return { summary: { logs: names }, text: `this home has the caps of ${names.join(', ')}` }
  },
})

/** The caps of both; what the home has stays. @throws E_EXISTS where the name is another log's */
async function mergedInto(
  keyring: Keyring,
  name: string,
  caps: BackupCaps,
): Promise<[string, BackupCaps, boolean]> {
  const known = await keyring.find(name)
  if (known === undefined) {
    await keyring.checkFree(name)
    return [name, caps, false]
  }
  if (!equalBytes(logIdOf(known), logIdOf(caps))) {
    throw new GridError('E_EXISTS', `${name} is another log here`, {
      hint: `grid keys import --log ${name} --as NAME`,
    })
  }
  const append = known.append ?? caps.append
  const read = known.read ?? caps.read
  const admin = known.admin ?? caps.admin
  const all = [append, read, admin].filter((cap) => cap !== undefined)
  return [name, backupCapsOf(all), true]
}

function logIdOf({ append, read, admin }: BackupCaps): Uint8Array {
  return (append ?? read ?? admin)!.logId
}

async function isHome({ home }: { home: Parameters<typeof openHome>[0] }): Promise<boolean> {
  try {
    await openHome(home)
    return true
  } catch (error) {
    if (isGridError(error, 'E_NOT_INITIALISED')) return false
    throw error
  }
}
