/**
 * The file of `--log-file`: lines are appended and written at once, so that the last one is there after a crash.
 * It never grows beyond a bound: full, it becomes `FILE.1`, in the place of the one before.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { utf8 } from '../base/bytes.ts'
import { asGridError } from '../base/errors.ts'

/** Of both files together. */
export const maxLogBytes: number = 10 * 1000 * 1000

/**
 * Opens the log at `path`, for its owner alone; returns what appends a line, and drops it where that
 * fails: a full disk stops no node. Throws E_FILE.
 */
export function openLogFile(path: string): (line: string) => void {
  const open = (): number => openSync(path, 'a', 0o600)
  let file: number
  let sizeBytes: number
  try {
    file = open()
    sizeBytes = fstatSync(file).size
  } catch (error) {
    throw asGridError(error, 'E_FILE', `cannot write the log file ${path}`)
  }
  const append = (bytes: Uint8Array): void => {
    if (sizeBytes > 0 && sizeBytes + bytes.length > maxLogBytes / 2) {
      renameSync(path, `${path}.1`)
      const full = file
      file = open()
      sizeBytes = 0
      closeSync(full)
    }
    sizeBytes += writeSync(file, bytes)
  }
  return (line) => {
    try {
      append(utf8(`${line}\n`))
    } catch {
      // there is no other place to tell it
    }
  }
}
