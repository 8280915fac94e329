import { toBase32 } from '../../base/base32.ts'
import { pskBytes } from '../../members/invite-protocol.ts'
import { command, type Command } from '../command.ts'
import { writeSecretFile } from '../new-file.ts'

export const pskNew: Command = command({
  arguments: [{ name: 'FILE', summary: 'a new file, for its owner alone' }],
  options: {},
  examples: [['grid psk new ~/.grid/private/psk-2', 'the secret that is to follow the one in use']],
  async run({ world }, { positionals: [file = ''] }) {
    const { random } = world
    const line = `${toBase32(random.bytes(pskBytes))}\n`
    await writeSecretFile(file, line, { replace: false, random })
    return {
      summary: { file },
      text: `wrote ${file}: take it to every node, then name it in grid.psk_files`,
    }
  },
})
