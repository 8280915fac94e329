import type { BackupCaps } from '../../backup/keys/keyring.ts'
import { lockKeyFile, plainKeyFile } from '../../backup/keys/key-file.ts'
import { formatKeyList } from '../../backup/keys/key-list.ts'
import { GridError } from '../../base/errors.ts'
import { command, type Command } from '../command.ts'
import { keyringOf, logOption, readLocationOfHome } from '../home-config.ts'
import { writeSecretFile } from '../new-file.ts'
import { text } from '../option.ts'
import { newPassphrase, noPassphrase, passphraseOptions } from '../passphrase.ts'

export const keysExport: Command = command({
  arguments: [],
  options: {
    ...logOption,
    out: text('--out <FILE>', 'write it into a new file; standard output if absent'),
    ...passphraseOptions,
    noPassphrase,
  },
  examples: [
    ['grid keys export --out keys.txt', 'keep all caps of this home under a passphrase'],
    ['grid keys export --log photos --passphrase-file pass.txt', 'without a terminal'],
  ],
  async run(context, { options }) {
    const { world, output } = context
    const { log, out, passphraseFile, noPassphrase: isPlain } = options
    if (isPlain && passphraseFile !== undefined) {
      throw new GridError('E_USAGE', 'give --passphrase-file or --no-passphrase, not both')
    }
    const location = await readLocationOfHome(context)
    const keyring = keyringOf(context)
    const names = log === undefined ? await keyring.names() : [log]
    if (names.length === 0) throw new GridError('E_USAGE', 'this home has no backup log')
    const logs = new Map<string, BackupCaps>()
    for (const name of names) logs.set(name, await keyring.get(name))
    const list = formatKeyList({ location, logs })
    const { random } = world
    const file = isPlain
      ? plainKeyFile(list)
      : await lockKeyFile(list, await newPassphrase(passphraseFile, context), { random })
    if (out === undefined) await output.item({ logs: names, keyFile: file }, file.trimEnd())
    else await writeSecretFile(out, file, { replace: false, random })
    const where = out ?? 'what was printed'
    return {
      summary: { logs: names, encrypted: !isPlain },
      text: `${where} holds the caps of ${names.join(', ')}${isPlain ? ' for whoever reads it' : ''}`,
    }
  },
})
