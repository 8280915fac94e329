/** The processes of this machine, as writers of a share store. */
import type { Writers } from '../../storage/disk-store.ts'

export const processWriters: Writers = {
  own: String(process.pid),
  isRunning(name) {
    try {
      process.kill(Number(name), 0)
      return true
    } catch (error) {
      // Another user's process may not be signalled, but it is there.
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  },
}
