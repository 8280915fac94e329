/** Real files for a trial, which no one here wrote: those of the installed packages. */
import { cpSync, mkdirSync, readdirSync, statSync, type Dirent } from 'node:fs'
import path from 'node:path'

/**
 * Copies `count` files below `source` to the new directory `target`, with their directories.
 *
 * @param options - of files longer than `maxBytes` none is taken
 */
export function copyRealFiles(
  source: string,
  target: string,
  count: number,
  { maxBytes = Infinity }: { maxBytes?: number } = {},
): void {
  let copied = 0
  const waiting = ['']
  for (let at = waiting.shift(); at !== undefined && copied < count; at = waiting.shift()) {
    mkdirSync(path.join(target, at), { recursive: true })
    for (const entry of entriesOf(path.join(source, at))) {
      const name = path.join(at, entry.name)
      if (entry.isDirectory()) waiting.push(name)
      else if (entry.isFile() && copied < count) {
        if (statSync(path.join(source, name)).size > maxBytes) continue
        cpSync(path.join(source, name), path.join(target, name))
        copied++
      }
    }
  }
  if (copied < count) throw new Error(`only ${copied} files below ${source}`)
}

function entriesOf(directory: string): Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
}
