/**
 * Grid as a library: open the grid of a home, put bytes and get a cap, give a cap and get bytes.
 *
 * @packageDocumentation
 */
import './base/shim.ts'

export type { Clock } from './base/clock.ts'
export type { Disk } from './base/disk.ts'
export {
  type ErrorCode,
  type ErrorFacts,
  GridError,
  type GridErrorOptions,
  isGridError,
} from './base/errors.ts'
export type { Random } from './base/random.ts'
export type { Trace } from './base/trace.ts'
export type { ChunkProfile, Encoder } from './encoding/encoder.ts'
export type { Override } from './node/config.ts'
export type { FileInput } from './node/file-upload.ts'
export type { FileContent } from './node/file-content.ts'
export type { ContentRange } from './node/content-range.ts'
export type { ManyInput, ManyOptions, ManyResult } from './node/many-files.ts'
export type { PlaceOptions } from './node/placer.ts'
export { TreeStore, type ReadContentOptions } from './node/tree-store.ts'
export { type ContentInput, TreeWriter, type TreeWriteOptions } from './node/tree-writer.ts'
export type { Home } from './node/home.ts'
export type { PeerStatus } from './storage/peer.ts'
export {
  Grid,
  type GetOptions,
  type GridParts,
  type PutOptions,
  type PutReport,
} from './node/grid.ts'
export { makeHome, openGrid, type OpenGridOptions } from './node/open-grid.ts'
export { openFile, type OpenFile } from './node/file-source.ts'
export type { PeerPool, PeerReport } from './node/peer-pool.ts'
export type { Redundancy } from './node/placement.ts'
export { parseCap } from './caps/parse.ts'
export { formatCap } from './caps/text.ts'
export { formatCompactCap } from './caps/compact.ts'
export { attenuate } from './caps/attenuate.ts'
export type * from './caps/cap.ts'
