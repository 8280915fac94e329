import path from 'node:path'
import { backupCapsOf, defaultLogName } from '../../backup/keys/keyring.ts'
import {
  isWholeKit,
  maxKitChars,
  readKit,
  readKitCap,
  type RecoveryKit,
} from '../../backup/keys/recovery-kit.ts'
import { untilAborted } from '../../base/deadline.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { equalBytes } from '../../base/bytes.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { Cap, CapOf } from '../../caps/cap.ts'
import type { Grid } from '../../node/grid.ts'
import { openHome } from '../../node/home/home.ts'
import { type GridLocation, settingsOf } from '../../node/home/grid-location.ts'
import { command, type Command, type Context } from '../command.ts'
import { keyringOf, logOption, readLocationOfHome } from '../home-config.ts'
import { clientOptions, gridSettings, makeHome, noStorage } from '../make-home.ts'
import { flag, list, text } from '../option.ts'
import { foldersOn } from '../present-disks.ts'
import { showRecovered } from '../recovered-log.ts'
import { readTextFile } from '../text-file.ts'

const { introducer, peer } = clientOptions

export const recover: Command = command({
  arguments: [
    { name: 'FILE', summary: 'the kit as text; standard input if absent', optional: true },
  ],
  options: {
    ...logOption,
    introducer,
    peer,
    disks: list('--disks <DIR>', 'where a disk of the kit is now; may be repeated'),
    admin: flag('--admin', 'keep the admin cap on this machine too'),
    device: text('--device <NAME>', 'let this machine add new backups, under this name'),
  },
  examples: [
    ['grid recover', 'type or paste the two lines of the kit'],
    ['grid recover kit.txt --device newbox', 'and back up from this machine from now on'],
    ['grid recover --disks /media/disk kit.txt', 'from a disk that is elsewhere now'],
  ],
  async run(context, { positionals: [file], options }) {
    const { world, output, signal } = context
    const { log: name = defaultLogName, device } = options
    const given = gridSettings({ ...options, k: undefined, happy: undefined, n: undefined })
    const text =
      file === undefined ? await readKitText(context) : await readTextFile(file, maxKitChars)
    const hasPlace = [options.introducer, options.peer, options.disks].some(
      ({ length }) => length > 0,
    )
    const kit = hasPlace ? undefined : readKit(text)
    const cap = kit?.cap ?? readKitCap(text) ?? readKit(text).cap
    if (device !== undefined && cap.type !== 'LOG-Admin') {
      throw new GridError('E_CAP_WEAK', 'only with the admin cap can this machine be let in')
    }
    await ensureHome(context, kit, given)
    const keyring = keyringOf(context)
    const caps = backupCapsOf([
      attenuate(cap, 'LOG-Read'),
      ...(options.admin && cap.type === 'LOG-Admin' ? [cap] : []),
    ])
    const known = await keyring.find(name)
    if (known !== undefined && !isOfLog(known, cap)) await keyring.checkFree(name)
    const grid = await world.openGrid(context)
    try {
      const outcome = await showRecovered(context, grid, caps.read!, name)
      const kept = { append: known?.append, read: caps.read, admin: caps.admin ?? known?.admin }
      if (known === undefined) await keyring.add(name, kept)
      else await keyring.replace(name, kept)
      if (device !== undefined && cap.type === 'LOG-Admin') {
        const append = await letIn(grid, cap, device, signal)
        await keyring.replace(name, { ...kept, append })
        output.note(`"${device}" may add backups to ${name}`)
      }
      const what = kept.admin === undefined ? 'the read cap' : 'the read and the admin cap'
      output.note(`kept ${what} of backup log ${name} on this machine`)
      return outcome
    } finally {
      await grid.close()
    }
  },
})

/** A cap of this machine's own. @throws what `Logs.grant` throws */
async function letIn(
  grid: Grid,
  cap: CapOf<'LOG-Admin'>,
  device: string,
  signal: AbortSignal,
): Promise<CapOf<'LOG-Append'>> {
  try {
    return await grid.logs.grant(cap, { label: device, signal })
  } catch (error) {
    if (!isGridError(error, 'E_NOT_ENOUGH_SERVERS')) throw error
    const { code, message, facts } = error
    throw new GridError(code, `the log can be read, and takes no more entries: ${message}`, {
      hint: 'restore from it, and back up into a new one: grid backup init --log NAME',
      ...{ facts, cause: error },
    })
  }
}

/** Standard input, up to the end of the second line where both are whole. */
async function readKitText({ world, signal, output }: Context): Promise<string> {
  if (world.ask !== undefined) {
    output.note('type or paste the two lines of the kit; Ctrl-D ends')
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of untilAborted(world.stdin, signal)) {
    text += decoder.decode(piece, { stream: true })
    if (text.length > maxKitChars || isWholeKit(text)) break
  }
  return text
}

/** Makes the home, or takes one that has the same grid, such as that of an attempt before. */
async function ensureHome(
  context: Context,
  kit: RecoveryKit | undefined,
  given: ReturnType<typeof gridSettings>,
): Promise<void> {
  const location = kit === undefined ? undefined : await withPresentDisks(context, kit.location)
  const settings = location === undefined ? [] : settingsOf(location, 'the kit')
  try {
    await openHome(context.home)
  } catch (error) {
    if (!isGridError(error, 'E_NOT_INITIALISED')) throw error
    await checkDisks(context, given)
    await makeHome(context, [...settings, ...given, noStorage('grid recover')])
    return
  }
  const own = await readLocationOfHome(context)
  const isSame = location !== undefined && sharesPlace(own, location) && given.length === 0
  if (isSame) return
  throw new GridError('E_EXISTS', `${context.home.path} is a grid home already`, {
    hint: 'choose another with --home; or bring only the caps: grid keys import',
  })
}

/** Those disks of the kit that are there; the others may have died. */
async function withPresentDisks(context: Context, location: GridLocation): Promise<GridLocation> {
  if (location.disks.length === 0) return location
  const disks: string[] = []
  for (const disk of location.disks) {
    if (await foldersOn(context.world.disk, disk)) disks.push(disk)
    else await context.output.warning(`there is no grid on ${disk}`, { disk })
  }
  if (disks.length > 0) return { ...location, disks }
  throw new GridError('E_FILE', 'none of the disks of the kit is here', {
    hint: 'mount them, or say where they are: --disks DIR',
    facts: { disks: location.disks },
  })
}

/** A disk that is not mounted must not be begun as an empty one. */
async function checkDisks(
  { world }: Context,
  given: ReturnType<typeof gridSettings>,
): Promise<void> {
  const disks = given.find((setting) => setting.path === 'embedded.disks')?.value
  for (const disk of (disks ?? []) as string[]) {
    if (await foldersOn(world.disk, disk)) continue
    throw new GridError('E_FILE', `there is no grid on ${path.resolve(disk)}`, {
      hint: 'give the directory that holds folder-keys and folder-0 or another',
    })
  }
}

function sharesPlace(a: GridLocation, b: GridLocation): boolean {
  const places = (location: GridLocation): string[] => [
    ...location.introducers,
    ...location.peers,
    ...location.disks,
  ]
  return places(b).every((place) => places(a).includes(place))
}

function isOfLog(known: object, { logId }: { logId: Uint8Array }): boolean {
  return (Object.values(known) as (Cap | undefined)[]).some(
    (cap) => cap !== undefined && 'logId' in cap && equalBytes(cap.logId, logId),
  )
}
