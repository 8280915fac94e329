/** A small file, written whole and durable but for its name (docs/specs/share-store.md, "Write protocol", 1-4). */
import type { Disk } from '../base/disk.ts'
import { onDisk } from './disk-failure.ts'

/** Writes a new file at `path`, or leaves none there. `pieces` are borrowed until it resolves. */
export async function writeSynced(
  disk: Disk,
  path: string,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const file = await onDisk('write', disk.create(path))
  let open = true
  try {
    await onDisk('write', file.write(pieces, 0))
    await onDisk('sync', file.sync())
    open = false
    await onDisk('sync', file.close())
  } catch (error) {
    if (open) await file.close().catch(() => {})
    await disk.unlink(path).catch(() => {})
    throw error
  }
}
