/** `SNAP[:PATH]`: a snapshot, or something in it. */
import { GridError, isGridError } from '../base/errors.ts'
import type { SnapshotFilter } from '../backup/snapshot-filter.ts'
import type { OpenSnapshot, Snapshots } from '../backup/snapshots.ts'
import { parsePath, type Path } from '../files/path.ts'

export interface SnapshotPlace {
  snapshot: OpenSnapshot
  path: Path
}

/**
 * What `text` names: `latest:data/mail`, `a2b3c4d5e6`, `laptop:12:data`.
 *
 * @throws E_USAGE where there is no such snapshot, or for a path that is none; as `Snapshots.find`
 */
export async function findSnapshotPlace(
  snapshots: Snapshots,
  text: string,
  options: { filter?: SnapshotFilter; signal?: AbortSignal } = {},
): Promise<SnapshotPlace> {
  const { filter = {}, signal } = options
  const readings = readingsOf(text)
  for (const [i, { name, path }] of readings.entries()) {
    try {
      return { snapshot: await snapshots.find(name, filter, { signal }), path: parsePath(path) }
    } catch (error) {
      const isLast = i === readings.length - 1
      if (isLast || !isGridError(error, 'E_USAGE')) throw error
    }
  }
  throw new GridError('E_USAGE', 'no snapshot is named')
}

/** `a:12:b` may be entry 12 of device a, or a path that begins with `12:`; the first comes first. */
function readingsOf(text: string): { name: string; path: string }[] {
  const readings: { name: string; path: string }[] = []
  const numbered = /^([^:]+:[1-9][0-9]{0,14})(?::(.*))?$/s.exec(text)
  if (numbered !== null) readings.push({ name: numbered[1], path: numbered[2] ?? '' })
  const colon = text.indexOf(':')
  const [name, path] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return [...readings, { name, path }]
}
