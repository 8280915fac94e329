/** A local file open for reading, and where in it there is data. */
import { closeSync, constants, fstatSync } from 'node:fs'
import { isDiskError } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import { escapedName } from './escaped-name.ts'
import { type Fingerprint, fingerprintOf, sameFingerprint } from './fingerprint.ts'
import type { LocalEntry } from './local-entry.ts'
import type { NativeCalls } from './native.ts'
import type { OpenDirectory } from './open-directory.ts'

const { O_NONBLOCK, O_RDONLY } = constants
/** Linux alone has it. */
const quietly = (constants as Partial<typeof constants>).O_NOATIME ?? 0

export class LocalFile {
  readonly fd: number
  readonly sizeBytes: number
  /** As it was when it was opened. */
  readonly fingerprint: Fingerprint

  constructor(fd: number) {
    const stats = fstatSync(fd, { bigint: true })
    this.fd = fd
    this.sizeBytes = Number(stats.size)
    this.fingerprint = fingerprintOf(stats)
  }

  /** Whether it was touched since it was opened: then its entry is to be marked as fuzzy. */
  changed(): boolean {
    return !sameFingerprint(this.fingerprint, fingerprintOf(fstatSync(this.fd, { bigint: true })))
  }

  close(): void {
    closeSync(this.fd)
  }
}

/**
 * Opens the very file that `entry` is, without touching its access time where that is allowed.
 *
 * @throws E_FILE_CHANGED if another has its name by now; the system's error otherwise
 */
export function openLocalFile(entry: LocalEntry, directory: OpenDirectory): LocalFile {
  const file = new LocalFile(openQuietly(entry.name, directory))
  const { device, inode } = file.fingerprint
  if (inode === entry.fingerprint.inode && device === entry.fingerprint.device) return file
  file.close()
  throw new GridError('E_FILE_CHANGED', `${escapedName(entry.path)}: another file by now`)
}

/** Nothing waits for a fifo that has taken the name meanwhile. */
function openQuietly(name: Uint8Array, directory: OpenDirectory): number {
  try {
    return directory.openFile(name, O_RDONLY | O_NONBLOCK | quietly)
  } catch (error) {
    if (!isDiskError(error, 'EPERM')) throw error
    return directory.openFile(name, O_RDONLY | O_NONBLOCK)
  }
}

export interface DataRun {
  start: number
  /** Where the run ends: the first byte that is not in it. */
  end: number
}

/** Where the file has data; what is between is zeros that need not be read. Ascending. */
export function* dataRuns(
  { fd, sizeBytes }: LocalFile,
  native: NativeCalls | undefined,
): Generator<DataRun, void> {
  if (native === undefined) {
    if (sizeBytes > 0) yield { start: 0, end: sizeBytes }
    return
  }
  for (let at = 0; at < sizeBytes;) {
    const start = native.nextData(fd, at)
    if (start === undefined || start >= sizeBytes) return
    const end = Math.min(native.nextHole(fd, start) ?? sizeBytes, sizeBytes)
    yield { start, end }
    at = end
  }
}
