/** File systems on a grid, for whoever holds the caps. */
import { type Clock, SystemClock } from '../base/clock.ts'
import { version } from '../base/version.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Grid } from '../node/grid.ts'
import { FileTree } from './file-tree.ts'
import type { TreeStorage } from './tree-storage.ts'
import { GridLog } from './grid-log.ts'
import { GridMap } from './map.ts'

export interface OpenFilesOptions {
  /** The machine's unless told. */
  clock: Clock
  /** Name of this machine, as versions tell it. */
  host?: string
}

/**
 * The tree whose versions are in a log; without an append cap it can only be read.
 *
 *     const files = openFiles(grid, { read, append })
 *     const { view } = await files.read()
 */
export function openFiles(
  grid: Pick<Grid, 'trees' | 'logs'>,
  { read, append }: { read: CapOf<'LOG-Read'>; append?: CapOf<'LOG-Append'> | undefined },
  options: Partial<OpenFilesOptions> = {},
): FileTree {
  const { clock = new SystemClock(), host = '' } = options
  const log = new GridLog({ logs: grid.logs, read, append, clock })
  const secret = append?.convergenceSecret
  const trees = append === undefined ? grid.trees : storingOn(grid, append)
  const parts = { trees, log, clock, host, tool: `grid ${version}` }
  return new FileTree({ ...parts, ...(secret && { secret }) })
}

/** The same trees, where what is written is held by the account of the log. */
function storingOn(
  { trees, logs }: Pick<Grid, 'trees' | 'logs'>,
  append: CapOf<'LOG-Append'>,
): TreeStorage {
  return {
    readSlice: trees.readSlice.bind(trees),
    readContent: trees.readContent.bind(trees),
    async write(work, options = {}) {
      const account = await logs.storing(append, options)
      return trees.write(work, { ...options, account })
    },
  }
}

/** As `openFiles`, for programs that want keys and values. A log serves one or the other. */
export function openMap(
  grid: Pick<Grid, 'trees' | 'logs'>,
  caps: Parameters<typeof openFiles>[1],
  options: Partial<OpenFilesOptions> = {},
): GridMap {
  const files = openFiles(grid, caps, options)
  return new GridMap(files, grid.trees, options.clock ?? new SystemClock())
}
