/** What an argument names: a file of this machine, or a path in a tree of the grid (docs/commands.md, "Places"). */
import type { Cap } from '../caps/cap.ts'
import { GridError } from '../base/errors.ts'
import { parseCap } from '../caps/parse.ts'
import { type CapSource, readCap } from './cap-argument.ts'
import type { Context } from './command.ts'
import { isAliasName } from '../files/aliases.ts'
import { parsePath, type Path } from '../files/path.ts'

export interface LocalPlace {
  kind: 'local'
  path: string
}

export interface TreePlace {
  kind: 'tree'
  /** As it may be shown: an alias, or a word for the cap. */
  shown: string
  source: { alias: string } | { cap: Cap }
  path: Path
  /** Whether it ends in a slash, or names the root: then it has to be a directory. */
  isDirectory: boolean
}

export type Place = LocalPlace | TreePlace

const textCap = /^uri:/i
const compactCap = /^g[a-z]+1[a-z2-7]{20}/i

/**
 * `work:photos/a.jpg` for an alias, a cap with or without a path behind a slash, and whatever else
 * for a local file; `./work:a` is one too.
 *
 * @throws E_USAGE for a path that is none, E_CAP_* for a cap that is none
 */
export function parsePlace(text: string): Place {
  if (textCap.test(text) || compactCap.test(text)) {
    const slash = text.indexOf('/')
    const [head, tail] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash)]
    const source = { cap: parseCap(head) }
    return { kind: 'tree', shown: 'the cap', source, ...pathIn(tail) }
  }
  const colon = text.indexOf(':')
  const alias = text.slice(0, Math.max(0, colon))
  if (colon < 0 || !isAliasName(alias)) return { kind: 'local', path: text }
  return { kind: 'tree', shown: `${alias}:`, source: { alias }, ...pathIn(text.slice(colon + 1)) }
}

/** As `parsePlace`, where a local file will not do. Throws E_USAGE. */
export function parseTreePlace(text: string): TreePlace {
  const place = parsePlace(text)
  if (place.kind === 'tree') return place
  throw new GridError('E_USAGE', `${JSON.stringify(text)} is not a place in a tree`, {
    hint: 'name one as ALIAS:PATH, such as work:photos; see: grid alias ls',
  })
}

/** The same for each of several. */
export function parseTreePlaces(texts: readonly string[]): TreePlace[] {
  return texts.map(parseTreePlace)
}

function pathIn(text: string): Pick<TreePlace, 'path' | 'isDirectory'> {
  const path = parsePath(text)
  return { path, isDirectory: path.length === 0 || text.endsWith('/') }
}

/** A call whose first argument is a cap or a place, unless the cap comes from elsewhere. */
export async function readSource(
  source: CapSource,
  context: Context,
): Promise<{ source: Cap | TreePlace; rest: readonly string[] }> {
  const [first, ...rest] = source.positionals
  const { capFile, capStdin } = source.options
  if (first !== undefined && capFile === undefined && !capStdin) {
    const isPlace = !textCap.test(first) || first.includes('/')
    const place = isPlace ? parsePlace(first) : undefined
    const isTree = place?.kind === 'tree' && ('alias' in place.source || place.path.length > 0)
    if (isTree) return { source: place, rest }
  }
  const { cap, rest: others } = await readCap(source, context)
  return { source: cap, rest: others }
}
