import {
  lockKeyFile,
  maxKeyFileBytes,
  openKeyFile,
  parseKeyFile,
  plainKeyFile,
} from '../../backup/keys/key-file.ts'
import { GridError } from '../../base/errors.ts'
import { command, type Command } from '../command.ts'
import { writeSecretFile } from '../new-file.ts'
import { text } from '../option.ts'
import { knownPassphrase, newPassphrase, noPassphrase, passphraseOptions } from '../passphrase.ts'
import { readTextFile } from '../text-file.ts'

export const keysPassphrase: Command = command({
  arguments: [{ name: 'FILE', summary: 'what `grid keys export` wrote' }],
  options: {
    ...passphraseOptions,
    newPassphraseFile: text('--new-passphrase-file <FILE>', 'read the new one from a file'),
    noPassphrase,
  },
  examples: [['grid keys passphrase keys.txt', 'lock the file with another passphrase']],
  async run(context, { positionals: [file], options }) {
    const { passphraseFile, newPassphraseFile, noPassphrase: isPlain } = options
    if (isPlain && newPassphraseFile !== undefined) {
      throw new GridError('E_USAGE', 'give --new-passphrase-file or --no-passphrase, not both')
    }
    const { random } = context.world
    const parsed = parseKeyFile(await readTextFile(file, maxKeyFileBytes))
    const content = await openKeyFile(parsed, () => knownPassphrase(passphraseFile, context))
    const option = '--new-passphrase-file'
    const changed = isPlain
      ? plainKeyFile(content)
      : await lockKeyFile(content, await newPassphrase(newPassphraseFile, context, option), {
          random,
        })
    await writeSecretFile(file, changed, { replace: true, random })
    const text = isPlain ? 'opens without a passphrase now' : 'opens with the new passphrase alone'
    return {
      summary: { encrypted: !isPlain },
      text: `${file} ${text}; copies of it open with the old one`,
    }
  },
})
