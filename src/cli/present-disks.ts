/** Whether a disk has folders of an embedded grid, without making any. */
import type { Disk } from '../base/disk.ts'

export async function foldersOn(disk: Disk, directory: string): Promise<boolean> {
  const names = await disk.readDirectory(directory).catch(() => [])
  return names.some((name) => /^folder-\d{1,3}$/.test(name))
}
