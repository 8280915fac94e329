/** A small file that the user gives, read whole once it is known to be small. */
import { open } from 'node:fs/promises'
import { asGridError, GridError } from '../base/errors.ts'

/** The text of a file of at most `maxBytes`. Throws E_FILE. */
export async function readTextFile(file: string, maxBytes: number): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      // not by its size, which a pipe does not have
      const buffer = new Uint8Array(maxBytes + 1)
      let length = 0
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
        length += bytesRead
        if (bytesRead === 0 || length > maxBytes) break
      }
      if (length <= maxBytes) return new TextDecoder().decode(buffer.subarray(0, length))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw asGridError(error, 'E_FILE', `cannot read ${file}`)
  }
  throw new GridError('E_FILE', `cannot read ${file}: it has more than ${maxBytes} bytes`)
}
