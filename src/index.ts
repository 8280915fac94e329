/**
 * Grid as a library: open the grid of a home, put bytes and get a cap, give a cap and get bytes.
 *
 * @packageDocumentation
 */
import './base/shim.ts'

export { type ErrorCode, GridError, isGridError } from './base/errors.ts'
export {
  Grid,
  type GetOptions,
  type GridParts,
  type PutOptions,
  type PutReport,
} from './node/grid.ts'
export { makeHome, openGrid, type OpenGridOptions } from './node/open-grid.ts'
export { openFile, type OpenFile } from './node/file-source.ts'
export type { PeerReport } from './node/peer-pool.ts'
export type { Redundancy } from './node/placement.ts'
export { parseCap } from './caps/parse.ts'
export { formatCap } from './caps/text.ts'
export { formatCompactCap } from './caps/compact.ts'
export { attenuate } from './caps/attenuate.ts'
export type { Cap } from './caps/cap.ts'
