/** Removes a name with all that is below it: never through a link, never into another file system. */
import { concat } from '../base/bytes.ts'
import { kindOf } from './local-stats.ts'
import { detailOf } from './notice.ts'
import type { OpenDirectory } from './open-directory.ts'
import type { TargetRun } from './target-run.ts'

const slash = Uint8Array.of(0x2f)
const maxDepth = 512

/** Whether it is gone, or would be in a dry run. What cannot be removed is reported, and stays. */
export function clearAway(
  run: TargetRun,
  directory: OpenDirectory,
  name: Uint8Array,
  path: Uint8Array,
  depth = 0,
): boolean {
  const { dryRun = false, onDelete } = run.options
  try {
    const stats = directory.look(name)
    if (stats === undefined) return true
    if (kindOf(stats) === 'directory') {
      if (!clearInside(run, directory, name, path, depth)) return false
      if (!dryRun) directory.removeDirectory(name)
    } else if (!dryRun) directory.unlink(name)
    onDelete?.(path)
    return true
  } catch (error) {
    run.report('failed', path, detailOf(error), error)
    return false
  }
}

function clearInside(
  run: TargetRun,
  above: OpenDirectory,
  name: Uint8Array,
  path: Uint8Array,
  depth: number,
): boolean {
  const directory = above.open(name)
  try {
    if (depth >= maxDepth || directory.identity.device !== above.identity.device) {
      run.report('failed', path, depth >= maxDepth ? 'too deep' : 'another file system')
      return false
    }
    const names = directory.names()
    let empty = true
    for (let i = 0; i < names.length; i++) {
      const each = names.at(i)
      if (!clearAway(run, directory, each, concat(path, slash, each), depth + 1)) empty = false
    }
    return empty
  } finally {
    directory.close()
  }
}
