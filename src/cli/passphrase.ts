/** Passphrases: from a file, or from whoever sits at the terminal; never from the command line. */
import { maxPassphraseBytes } from '../backup/keys/key-file.ts'
import { GridError } from '../base/errors.ts'
import type { Context } from './command.ts'
import { flag, type Flag, text, type Value } from './option.ts'
import { readTextFile } from './text-file.ts'

export const passphraseOptions: { passphraseFile: Value<string> } = {
  passphraseFile: text(
    '--passphrase-file <FILE>',
    'read the passphrase from the first line of a file',
  ),
}

export const noPassphrase: Flag = flag(
  '--no-passphrase',
  'encrypt nothing: whoever reads it has the keys',
)

type Asking = Pick<Context, 'world' | 'signal'>

/** The passphrase of a file that there is. @throws E_USAGE where there is neither file nor terminal */
export async function knownPassphrase(
  file: string | undefined,
  { world, signal }: Asking,
): Promise<string> {
  if (file !== undefined) return passphraseIn(file)
  return askOf(world)('Passphrase: ', { hidden: true, signal })
}

/** One for a new file, asked for twice. Throws as `knownPassphrase` does, and E_USAGE if the two differ. */
export async function newPassphrase(
  file: string | undefined,
  { world, signal }: Asking,
  option = '--passphrase-file',
): Promise<string> {
  if (file !== undefined) return passphraseIn(file)
  const ask = askOf(world, option)
  const first = await ask('New passphrase: ', { hidden: true, signal })
  if (first === '') throw new GridError('E_USAGE', 'the passphrase is empty: nothing was written')
  const second = await ask('The same again: ', { hidden: true, signal })
  if (first === second) return first
  throw new GridError('E_USAGE', 'the two passphrases differ: nothing was written')
}

async function passphraseIn(file: string): Promise<string> {
  const content = await readTextFile(file, 4 * maxPassphraseBytes)
  const [line = ''] = content.split(/\r?\n/, 1)
  if (line !== '') return line
  throw new GridError('E_USAGE', `${file} holds no passphrase in its first line`)
}

function askOf(
  { ask }: Context['world'],
  option = '--passphrase-file',
): NonNullable<Context['world']['ask']> {
  if (ask !== undefined) return ask
  throw new GridError('E_USAGE', 'there is nobody to ask for a passphrase', {
    hint: `give ${option} FILE`,
  })
}
