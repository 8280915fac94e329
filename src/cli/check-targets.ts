/** What `check`, `repair` and `rebalance` look at, and how the next command names the same. */
import { GridError, isGridError } from '../base/errors.ts'
import type { Cap, CapOf } from '../caps/cap.ts'
import { verifyKeyOf } from '../caps/keys.ts'
import { type VerifyCap, verifierOf } from '../node/check/objects-of-cap.ts'
import { capOfDirectory } from '../tree/directory-cap.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import { capOptions, readCapLines } from './cap-argument.ts'
import type { Context } from './command.ts'
import { keyringOf } from './home-config.ts'
import { type Flag, flag, text, type Value } from './option.ts'
import { parsePlace, type TreePlace } from './place.ts'
import { shownPlace, type TreePlaces } from './tree-places.ts'

export const targetOptions: typeof capOptions & { all: Flag; log: Value<string> } = {
  ...capOptions,
  all: flag('--all', 'every tree that has a name here, and every backup log'),
  log: text('--log <NAME>', 'a backup log of this home'),
}

export interface TargetChoice {
  positionals: readonly string[]
  options: { capFile: string | undefined; capStdin: boolean; all: boolean; log: string | undefined }
}

/** Something to look at: the cap is no stronger than it takes, and undefined for a literal. */
export interface Target {
  /** For people: an alias, a place, a file; no cap. */
  name: string
  cap: VerifyCap | undefined
}

/**
 * The targets of a call. What this home may only add to is left out with a warning.
 *
 * @throws E_USAGE where nothing is named, or too much; E_CAP_* for a cap that does not let one check
 */
export async function readTargets(
  context: Context,
  choice: TargetChoice,
  places: TreePlaces,
): Promise<Target[]> {
  const { positionals, options } = choice
  const { capFile, capStdin, all, log } = options
  const ways = [positionals.length > 0, capFile !== undefined || capStdin, all, log !== undefined]
  if (ways.filter(Boolean).length !== 1) {
    throw new GridError('E_USAGE', 'name what to look at, in one way', {
      hint: 'give caps or places, such as work:photos; or --cap-file, --cap-stdin, --log, --all',
    })
  }
  if (all) return [...(await aliasTargets(places)), ...(await logTargets(context))]
  if (log !== undefined) return [await logTarget(context, log)]
  if (positionals.length > 0)
    return Promise.all(positionals.map((name) => placeTarget(name, places)))
  const where = capFile ?? 'standard input'
  const caps = await readCapLines({ capFile, capStdin }, context)
  return caps.map((cap, i) => {
    const name = caps.length === 1 ? where : `line ${i + 1} of ${where}`
    return { name, cap: verifierOf(cap) }
  })
}

/**
 * The words that name the same targets again. A cap that was typed is not said again: it would stay
 * where messages are kept.
 */
export function targetWords({ positionals, options }: TargetChoice): string {
  const { capFile, capStdin, all, log } = options
  if (all) return '--all'
  if (log !== undefined) return `--log ${quoted(log)}`
  if (capFile !== undefined) return `--cap-file ${quoted(capFile)}`
  if (capStdin) return '--cap-stdin'
  return positionals.map((name) => (isPlain(name) ? quoted(name) : 'CAP')).join(' ')
}

function isPlain(name: string): boolean {
  try {
    const place = parsePlace(name)
    return place.kind === 'tree' && 'alias' in place.source
  } catch {
    return false
  }
}

/** As a shell takes it for one word. */
export function quoted(word: string): string {
  return /^[\w.:/@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

async function placeTarget(name: string, places: TreePlaces): Promise<Target> {
  const place = parsePlace(name)
  if (place.kind === 'local') {
    throw new GridError(
      'E_USAGE',
      `${JSON.stringify(name)} is neither a cap nor a place in a tree`,
      {
        hint: 'name one as ALIAS:PATH, such as work:photos; see: grid alias ls',
      },
    )
  }
  if (place.path.length > 0) {
    const { entry } = await places.find(place)
    return { name: shownPlace(place), cap: entry && verifierOfEntry(entry) }
  }
  return { name: place.shown, cap: await rootCap(place, places) }
}

async function rootCap(place: TreePlace, places: TreePlaces): Promise<VerifyCap | undefined> {
  if ('cap' in place.source) return verifierOf(place.source.cap)
  const caps = await places.aliases.find(place.source.alias)
  if (caps !== undefined) return verifierOf(caps.read)
  // a snapshot of the backups, by its name
  const { view } = await places.tree(place)
  return view.root && verifierOf(capOfDirectory(view.root))
}

/** Undefined where there is nothing to store. */
function verifierOfEntry(entry: DirectoryEntry): CapOf<'CHK-Verifier'> | undefined {
  if (entry.kind !== 'file' && entry.kind !== 'tree' && entry.kind !== 'directory') return undefined
  const { object, offset, readKey } = entry.content
  const { root, k, n } = object
  const verifyKey = verifyKeyOf(readKey)
  return { type: 'CHK-Verifier', verifyKey, root, k, n, offsetBytes: offset }
}

async function aliasTargets({ aliases }: TreePlaces): Promise<Target[]> {
  const names = await aliases.names()
  return Promise.all(
    names.map(async (name) => {
      const { read } = await aliases.get(name)
      return { name: `${name}:`, cap: verifierOf(read) }
    }),
  )
}

async function logTargets(context: Context): Promise<Target[]> {
  const targets: Target[] = []
  for (const name of await keyringOf(context).names()) {
    try {
      targets.push(await logTarget(context, name))
    } catch (error) {
      if (!isGridError(error, 'E_CAP_WEAK')) throw error
      await context.output.warning(`${error.message}, and not check it: it is left out`)
    }
  }
  return targets
}

async function logTarget(context: Context, name: string): Promise<Target> {
  const { read } = await keyringOf(context).get(name)
  if (read !== undefined) return { name: `log ${name}`, cap: verifierOf(read) }
  throw new GridError('E_CAP_WEAK', `this home may add to the log ${name}`, {
    hint: 'give a LOG-Verify cap of it: --cap-file FILE',
    facts: { needed: 'LOG-Verify' },
  })
}

/** The caps of targets, as far as there is anything to look at. */
export function capsOf(targets: readonly Target[]): Cap[] {
  return targets.flatMap(({ cap }) => cap ?? [])
}
