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
export type { Override } from './node/home/config.ts'
export type { FileInput } from './node/content/file-upload.ts'
export type { FileContent } from './node/content/file-content.ts'
export type { ContentRange } from './node/content/content-range.ts'
export type { ManyInput, ManyOptions, ManyResult } from './node/content/many-files.ts'
export type { PlaceOptions } from './node/content/placer.ts'
export { TreeStore, type ReadContentOptions } from './node/content/tree-store.ts'
export { type ContentInput, TreeWriter, type TreeWriteOptions } from './node/content/tree-writer.ts'
export type { Home } from './node/home/home.ts'
export type { PeerStatus } from './storage/peer.ts'
export { Grid, type GetOptions, type GridParts, type PutOptions } from './node/grid.ts'
export { makeHome, openGrid, type OpenGridOptions } from './node/open-grid.ts'
export type { PutReport } from './node/put-report.ts'
export { openFile, type OpenFile } from './node/encoder/file-source.ts'
export type { IntroducerReport, PeerPool, PeerReport } from './node/peers/peer-pool.ts'
export { Upkeep, type MendOptions, type UpkeepOptions } from './node/upkeep.ts'
export type { CheckDepth, FoundObject } from './node/check/check-run.ts'
export { CheckTally } from './node/check/check-tally.ts'
export type { RepairedObject } from './node/repair/repair-run.ts'
export type { Redundancy } from './node/placement/placement.ts'
export type { NodeName } from './tree/node-ref.ts'
export type { DirectoryEntry, DirectoryRef } from './tree/entry.ts'
export { capOfDirectory, capOfEntry, directoryOfCap } from './tree/directory-cap.ts'
export {
  findEntry,
  listDirectory,
  type ListOptions,
  resolveDirectory,
} from './tree/directory-reader.ts'
export {
  changeDirectory,
  type DirectoryChange,
  type DirectoryWriteContext,
  writeDirectory,
} from './tree/directory-writer.ts'
export { totalsOf } from './node/content/tree-totals.ts'
export {
  type CreatedLog,
  type CreateLogOptions,
  type GrantOptions,
  type LogOptions,
  Logs,
} from './node/logs/logs.ts'
export type { DeviceLog, SnapshotFacts } from './node/logs/device-log.ts'
export type { LogSnapshot, ReadableLog, SnapshotsOptions } from './node/logs/readable-log.ts'
export type { LogRecords } from './node/logs/log-records.ts'
export type { RateLimits, Right } from './log/certificate.ts'
export type { Conclusion, Evidence, Freshness, Witness } from './log/conclusion.ts'
export type { ReadOptions } from './log/log-reader.ts'
export type { LogView, ServerVerdict } from './log/log-view.ts'
export type { AppendReport, ServerReceipt } from './log/quorum-append.ts'
export type { Snapshot, SnapshotCheck, SnapshotTotals } from './log/snapshot-body.ts'
export { openFiles, openMap, type OpenFilesOptions } from './files/open-files.ts'
export {
  type ChangeOptions,
  type ChangeWork,
  type Commit,
  type CurrentTree,
  FileTree,
  findVersion,
  formatVersion,
  type PathVersion,
} from './files/file-tree.ts'
export type { Edit } from './files/edit-tree.ts'
export { type Found, TreeView, type Walked, type WalkOptions } from './files/tree-view.ts'
export { formatName, formatPath, parseName, parsePath, type Path } from './files/path.ts'
export type { Version } from './files/version-graph.ts'
export {
  GridMap,
  type MapChange,
  type MapItem,
  type MapVersion,
  type RangeOptions,
} from './files/map.ts'
export type { MapKey } from './files/map-key.ts'
export { parseCap } from './caps/parse.ts'
export { formatCap } from './caps/text.ts'
export { formatCompactCap } from './caps/compact.ts'
export { attenuate } from './caps/attenuate.ts'
export type * from './caps/cap.ts'
