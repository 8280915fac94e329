/** Faults of the file system for whoever is root, to whom nothing is unreadable. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** What happens besides; each may throw the system's error. */
export interface Fault {
  /** Before a file is opened. */
  opening?: () => void
  /** After each read from it, by the main thread. */
  read?: () => void
}

/** Runs `work` with a fault for every file whose path ends like a key. */
export async function withFaults<T>(
  faults: Record<string, Fault>,
  work: () => Promise<T>,
): Promise<T> {
  const { openSync, readSync } = fs
  const open = new Map<number, Fault>()
  fs.openSync = (path, ...rest) => {
    const name = Buffer.isBuffer(path) ? path.toString('latin1') : String(path)
    const [, fault] = Object.entries(faults).find(([end]) => name.endsWith(end)) ?? []
    fault?.opening?.()
    const descriptor = openSync(path, ...rest)
    if (fault === undefined) open.delete(descriptor)
    else open.set(descriptor, fault)
    return descriptor
  }
  fs.readSync = ((descriptor: number, ...rest: [Uint8Array]) => {
    const count = readSync(descriptor, ...rest)
    open.get(descriptor)?.read?.()
    return count
  }) as typeof readSync
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    Object.assign(fs, { openSync, readSync })
    syncBuiltinESMExports()
  }
}

export function refused(code: string): Fault {
  return {
    opening: () => {
      throw Object.assign(new Error(code), { code })
    },
  }
}
