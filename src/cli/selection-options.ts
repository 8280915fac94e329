/** `--include` and `--exclude`, as the backup takes them and the restore. */
import { readFile } from 'node:fs/promises'
import { asGridError } from '../base/errors.ts'
import { parsePattern, patternLines } from '../local/pattern.ts'
import { allOf, excluding, including, type Selection } from '../local/selection.ts'
import { list, type List } from './option.ts'

export const selectionOptions: {
  include: List<string>
  exclude: List<string>
  includeFile: List<string>
  excludeFile: List<string>
} = {
  include: list('--include <PATTERN>', 'only what it matches, and all below; may be given again'),
  exclude: list('--exclude <PATTERN>', 'nothing that it matches; may be given again'),
  includeFile: list('--include-file <FILE>', 'patterns from a file, one a line'),
  excludeFile: list('--exclude-file <FILE>', 'the same for --exclude'),
}

export interface SelectionChoice {
  include: readonly string[]
  exclude: readonly string[]
  includeFile: readonly string[]
  excludeFile: readonly string[]
}

/**
 * Undefined if everything is selected.
 *
 * @param root - the path of the tree: patterns may begin with it
 * @throws E_USAGE for what is no pattern, E_FILE for a file that cannot be read
 */
export async function selectionOf(
  { include, exclude, includeFile, excludeFile }: SelectionChoice,
  root?: Uint8Array,
): Promise<Selection | undefined> {
  const included = [...include, ...(await linesOf(includeFile))]
  const excluded = [...exclude, ...(await linesOf(excludeFile))]
  const parse = (pattern: string | Uint8Array) => parsePattern(pattern, root)
  const selections = [
    ...(included.length > 0 ? [including(included.map(parse))] : []),
    ...(excluded.length > 0 ? [excluding(excluded.map(parse))] : []),
  ]
  return selections.length === 0 ? undefined : allOf(selections)
}

async function linesOf(files: readonly string[]): Promise<Uint8Array[]> {
  const lines: Uint8Array[] = []
  for (const file of files) {
    try {
      lines.push(...patternLines(await readFile(file)))
    } catch (error) {
      throw asGridError(error, 'E_FILE', `cannot read ${file}`)
    }
  }
  return lines
}
