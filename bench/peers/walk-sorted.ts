import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** Everything below `directory`, depth first and in order of name: path relative to it, and stat. */
export function* walkSorted(directory: string, below = ''): Generator<[string, BigIntStats]> {
  for (const name of readdirSync(path.join(directory, below)).sort()) {
    const relative = below === '' ? name : `${below}/${name}`
    const stats = lstatSync(path.join(directory, relative), { bigint: true })
    yield [relative, stats]
    if (stats.isDirectory()) yield* walkSorted(directory, relative)
  }
}
