/** Options that say what of this machine a backup takes, as users of rsync and restic know them. */
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import { GridError, asGridError } from '../base/errors.ts'
import { type BackupPaths, backupPaths } from '../backup/backup-paths.ts'
import { type BackupSource, LocalSource } from '../backup/source.ts'
import { cacheMark, parseMark } from '../local/directory-mark.ts'
import type { Report } from '../local/notice.ts'
import { parsePattern, patternLines } from '../local/pattern.ts'
import { listedPaths, listing } from '../local/path-list.ts'
import { allOf, excluding } from '../local/selection.ts'
import type { Context } from './command.ts'
import { nativeForMuch } from './heap.ts'
import { flag, type Flag, list, type List, text, type Value } from './option.ts'

export const sourceOptions: {
  exclude: List<string>
  excludeFile: List<string>
  excludeCaches: Flag
  excludeIfPresent: List<string>
  oneFileSystem: Flag
  filesFrom: Value<string>
  noXattrs: Flag
} = {
  exclude: list('-e, --exclude <PATTERN>', 'leave out what matches; may be repeated'),
  excludeFile: list('--exclude-file <FILE>', 'leave out what matches a line of a file'),
  excludeCaches: flag('--exclude-caches', 'leave out directories that bear a CACHEDIR.TAG'),
  excludeIfPresent: list(
    '--exclude-if-present <NAME>',
    'leave out directories that have a file of this name, or NAME:BEGINNING',
  ),
  oneFileSystem: flag('-x, --one-file-system', 'do not go into other file systems'),
  filesFrom: text('--files-from <FILE>', 'take the paths in a file too, one a line (- is stdin)'),
  noXattrs: flag('--no-xattrs', 'keep no extended attributes and ACLs'),
}

/** What was asked for. */
export type SourceChoice = {
  readonly [K in keyof typeof sourceOptions]: (typeof sourceOptions)[K] extends Flag
    ? boolean
    : (typeof sourceOptions)[K] extends List<string>
      ? readonly string[]
      : string | undefined
}

export interface ChosenSource {
  paths: BackupPaths
  open: (report: Report) => BackupSource
  /** What decides which metadata is kept. */
  describedBy: string
}

const maxListBytes = 256 * 2 ** 20

/** Throws E_USAGE for patterns that are none; E_FILE for paths and lists that are not there. */
export async function chooseSource(
  context: Context,
  positionals: readonly string[],
  choice: SourceChoice,
): Promise<ChosenSource> {
  const listed =
    choice.filesFrom === undefined ? [] : listedPaths(await readList(context, choice.filesFrom))
  const given = [...positionals, ...listed.map(absolute)]
  if (given.length === 0)
    throw new GridError('E_USAGE', 'nothing to back up', { hint: 'name a directory or a file' })
  const paths = backupPaths(given)
  const { root, below, devices } = paths
  const patterns = choice.exclude.map((pattern) => parsePattern(pattern, root))
  for (const file of choice.excludeFile)
    for (const line of patternLines(await readList(context, file)))
      patterns.push(parsePattern(line, root))
  const marks = choice.excludeIfPresent.map(parseMark)
  if (choice.excludeCaches) marks.push(cacheMark)
  const isAll = below.some((path) => path.length === 0)
  const selections = isAll ? [] : [listing(below)]
  const selection = allOf([...selections, excluding(patterns)])
  const native = await nativeForMuch()
  return {
    paths,
    describedBy: native === undefined || choice.noXattrs ? 'without xattrs' : 'all',
    open: (report) =>
      new LocalSource(Buffer.from(root), {
        ...{ report, native, selection, marks, withoutXattrs: choice.noXattrs },
        ...(choice.oneFileSystem && { oneFileSystem: devices }),
      }),
  }
}

/** Relative paths of a list begin where the command was called. */
function absolute(path: Uint8Array): Uint8Array {
  if (path[0] === 0x2f) return path
  return Buffer.concat([Buffer.from(`${process.cwd()}/`), path])
}

async function readList({ world }: Context, file: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  const take = (piece: Uint8Array): void => {
    bytes += piece.length
    if (bytes > maxListBytes)
      throw new GridError('E_TOO_LARGE', `${file}: longer than a list may be`)
    pieces.push(piece)
  }
  if (file === '-') for await (const piece of world.stdin) take(piece)
  else {
    try {
      const handle = await fs.open(file, constants.O_RDONLY)
      for await (const piece of handle.createReadStream()) take(piece as Uint8Array)
    } catch (error) {
      throw asGridError(error, 'E_FILE', `cannot read ${file}`)
    }
  }
  return Buffer.concat(pieces)
}
