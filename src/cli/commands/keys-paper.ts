import { defaultLogName } from '../../backup/keys/keyring.ts'
import {
  checkLettersOf,
  formatKit,
  type KitFacts,
  kitLines,
} from '../../backup/keys/recovery-kit.ts'
import { GridError } from '../../base/errors.ts'
import { spoken } from '../../node/home/grid-location.ts'
import { command, type Command, type Context } from '../command.ts'
import { keyringOf, logOption, readLocationOfHome, warnOfOwnDisk } from '../home-config.ts'
import { thisMachine } from '../log-cap.ts'
import { writeSecretFile } from '../new-file.ts'
import { flag, text } from '../option.ts'

export const keysPaper: Command = command({
  arguments: [],
  options: {
    ...logOption,
    qr: flag('--qr', 'draw the two lines as a QR code too'),
    svg: text('--svg <FILE>', 'write the QR code as a picture into a new file'),
    page: text('--page <FILE>', 'write the kit with its QR code as an HTML page to print'),
    removeAdmin: flag('--remove-admin', 'take the admin cap off this machine afterwards'),
    appendOnly: flag('--append-only', 'with --remove-admin: the read cap too'),
    yes: flag('--yes', 'with --remove-admin: do not ask whether the kit is on paper'),
  },
  examples: [
    ['grid keys paper --qr', 'print the recovery kit'],
    ['grid keys paper --page kit.html', 'write a page to print; delete it afterwards'],
    ['grid keys paper --remove-admin', 'print it, and keep the admin cap nowhere else'],
  ],
  async run(context, { options }) {
    const { world, output } = context
    const { log: name = defaultLogName, removeAdmin, appendOnly, yes } = options
    if (!removeAdmin && (appendOnly || yes)) {
      throw new GridError('E_USAGE', '--append-only and --yes need --remove-admin')
    }
    const location = await readLocationOfHome(context)
    await warnOfOwnDisk(context, location)
    const keyring = keyringOf(context)
    const caps = await keyring.get(name)
    const { admin, append, read } = caps
    if (admin === undefined) {
      throw new GridError('E_CAP_WEAK', `the admin cap of backup log ${name} is not here`, {
        hint: 'it is on the kit that was printed before it was taken off',
      })
    }
    const rest = { append, read: appendOnly ? undefined : read, admin: undefined }
    if (removeAdmin && rest.append === undefined && rest.read === undefined) {
      throw new GridError('E_USAGE', 'this home would keep no cap of the log')
    }
    if (removeAdmin && !yes && world.ask === undefined) {
      throw new GridError('E_USAGE', 'there is nobody to ask whether the kit is on paper', {
        hint: 'give --yes once it is',
      })
    }
    const facts: KitFacts = {
      ...{ cap: admin, location, logName: name, host: thisMachine() },
      dateMs: world.clock.nowMs(),
    }
    await show(context, facts, options)
    if (!removeAdmin) return { summary: { log: name, removed: false } }
    if (!yes) await askForCheck(context, facts)
    await keyring.replace(name, rest)
    const kept = rest.read === undefined ? 'only add to the log' : 'add to the log and read it'
    const what = rest.append === undefined ? 'only read the log' : kept
    output.note('a disk may hold what was in a file until it is written over: see docs/keys.md')
    return {
      summary: { log: name, removed: true, appendOnly },
      text: `the admin cap of ${name} is off this machine, which can ${what} now`,
    }
  },
})

async function show(
  { output, world }: Context,
  facts: KitFacts,
  { qr, svg, page }: { qr: boolean; svg: string | undefined; page: string | undefined },
): Promise<void> {
  const isDrawn = qr || svg !== undefined || page !== undefined
  // the encoder of QR codes is loaded where one is drawn
  const pages = isDrawn ? await import('../kit-pages.ts') : undefined
  const { random } = world
  const write = async (file: string, content: string): Promise<void> => {
    await writeSecretFile(file, content, { replace: false, random })
    output.note(`wrote ${file}: it holds the admin cap; delete it once it is printed`)
  }
  if (svg !== undefined) await write(svg, pages!.kitSvg(facts))
  if (page !== undefined) await write(page, pages!.kitPage(facts))
  const [cap, location] = kitLines(facts)
  const drawn = qr ? `\n\n${pages!.kitForTerminal(facts)}` : ''
  await output.item({ log: facts.logName, cap, location }, `${formatKit(facts)}${drawn}`)
}

/** Only who can read them from the paper knows the letters: they are not on the screen again. */
async function askForCheck({ world, signal }: Context, { cap }: KitFacts): Promise<void> {
  const question = 'Type the last 6 letters of line 1 from the paper: '
  const answer = await world.ask!(question, { signal })
  if (spoken(answer.replace(/[\s:]/g, '')) === checkLettersOf(cap)) return
  throw new GridError('E_USAGE', 'these are not the letters: nothing was taken off', {
    hint: 'print the kit first; the letters stand at the end of line 1',
  })
}
