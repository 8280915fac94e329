import path from 'node:path'
import { defaultLogName, type Keyring } from '../../backup/keys/keyring.ts'
import { formatKit, kitLines } from '../../backup/keys/recovery-kit.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { CapOf } from '../../caps/cap.ts'
import { openHome } from '../../node/home/home.ts'
import { readCap } from '../cap-argument.ts'
import { command, type Command, type Context } from '../command.ts'
import { keyringOf, logOption, readLocationOfHome, warnOfOwnDisk } from '../home-config.ts'
import { thisMachine } from '../log-cap.ts'
import { clientOptions, gridSettings, makeHome, noStorage } from '../make-home.ts'
import { flag, list, text } from '../option.ts'
import { redundancyOptions } from '../redundancy-options.ts'

export const backupInit: Command = command({
  arguments: [],
  options: {
    ...logOption,
    ...clientOptions,
    disks: list('--disks <DIR>', 'without a grid: a disk of this machine to use; may be repeated'),
    ...redundancyOptions,
    device: text(
      '--device <NAME>',
      "what this machine is called in the log; the machine's name if absent",
    ),
    read: flag('--read', 'keep the read cap too, so that this machine may restore'),
    appendCapFile: text(
      '--append-cap-file <FILE>',
      'join a log by the cap that `grid log grant` made',
    ),
  },
  examples: [
    [
      'grid backup init --introducer ADDRESS > kit.txt',
      'let this machine add backups, and read none',
    ],
    [
      'grid backup init --disks /mnt/a --disks /mnt/b --read',
      'back up to disks, and restore from them',
    ],
    [
      'grid backup init --append-cap-file laptop.cap --introducer ADDRESS',
      'join the log of other machines',
    ],
  ],
  async run(context, { options }) {
    const { log: name = defaultLogName, appendCapFile, read, device } = options
    if (appendCapFile !== undefined && (read || device !== undefined)) {
      throw new GridError(
        'E_USAGE',
        'with --append-cap-file the log has the name of the device, and no read cap is made',
      )
    }
    const given = gridSettings(options)
    const joined =
      appendCapFile === undefined ? undefined : await appendCapIn(appendCapFile, context)
    await ensureHome(context, given)
    const keyring = keyringOf(context)
    await keyring.checkFree(name)
    return joined === undefined
      ? found(context, keyring, { name, read, device: device ?? thisMachine() })
      : join(context, keyring, name, joined)
  },
})

/** Makes the home, or takes the one that is there if no other grid is asked for. */
async function ensureHome(context: Context, given: ReturnType<typeof gridSettings>): Promise<void> {
  try {
    await openHome(context.home)
  } catch (error) {
    if (!isGridError(error, 'E_NOT_INITIALISED')) throw error
    await makeHome(context, [...given, noStorage('grid backup init')])
    return
  }
  if (given.length === 0) return
  throw new GridError('E_EXISTS', `${context.home.path} is a grid home already, and has a grid`, {
    hint: `leave ${given[0].source} out, or choose another home with --home`,
  })
}

async function found(
  context: Context,
  keyring: Keyring,
  { name, read, device }: { name: string; read: boolean; device: string },
): ReturnType<Command['run']> {
  const { world, output, signal } = context
  const location = await readLocationOfHome(context)
  await warnOfOwnDisk(context, location)
  const grid = await world.openGrid(context)
  try {
    const { admin, append } = await grid.logs.create({ device, signal })
    const facts = { cap: admin, location, logName: name, host: thisMachine() }
    const [cap, where] = kitLines(facts)
    // first: what cannot be shown must not be all that is left of the admin cap
    await output.item(
      { log: name, role: 'admin', cap, location: where },
      formatKit({ ...facts, dateMs: world.clock.nowMs() }),
    )
    const readCap = read ? attenuate(admin, 'LOG-Read') : undefined
    await keyring.add(name, { append, read: readCap, admin: undefined })
    const may = read ? 'add to it and read it' : 'add to it, and neither read nor delete'
    return {
      summary: { log: name, device, read },
      text: `made backup log ${name}. "${device}" may ${may}. Print the kit, and keep it elsewhere: it is shown this once`,
    }
  } finally {
    await grid.close()
  }
}

async function join(
  context: Context,
  keyring: Keyring,
  name: string,
  append: CapOf<'LOG-Append'>,
): ReturnType<Command['run']> {
  const { world, signal } = context
  const grid = await world.openGrid(context)
  try {
    // whether the log is there, and lets this cap in
    await grid.logs.device(append, { signal })
    await keyring.add(name, { append, read: undefined, admin: undefined })
    return { summary: { log: name }, text: `this machine may add to backup log ${name}` }
  } finally {
    await grid.close()
  }
}

async function appendCapIn(file: string, context: Context): Promise<CapOf<'LOG-Append'>> {
  const options = { capFile: path.resolve(file), capStdin: false }
  const { cap } = await readCap({ positionals: [], options }, context)
  return attenuate(cap, 'LOG-Append')
}
