/**
 * What comes of a pack on its way out of a worker thread: one buffer, since each object that is
 * copied between threads costs more than a small file itself.
 *
 *   offset      size   field
 *   0           64·n   a row for each file
 *   …           …      sealed streams, and literals, end to end
 *
 *   in a row: u8 kind, u8 codec, u8 fuzzy, 0, u32 cut value, u32 plaintext bytes, u32 stored bytes,
 *   16 bytes tag, 32 bytes read key
 */
import { type ErrorCode, GridError } from '../../base/errors.ts'
import { compressions } from '../../encoding/compression.ts'
import type { PackedFile, PackedStream } from '../../encoding/pack.ts'
import { sealedLength } from '../../encoding/seal.ts'

const rowBytes = 64
const kinds = ['stream', 'literal', 'large', 'failed'] as const
const tagAt = 16
const readKeyAt = 32

export interface PackedRows {
  count: number
  buffer: ArrayBuffer
  /** Of the files that failed, in their order. */
  failures: { code: ErrorCode; message: string }[]
}

/** Writes to `room` if all of it has room there, else to a new buffer. */
export function formatPacked(files: readonly PackedFile[], room: ArrayBuffer): PackedRows {
  const bodies = files.map(bodyOf)
  const length = bodies.reduce((sum, body) => sum + body.length, files.length * rowBytes)
  const out = new Uint8Array(length <= room.byteLength ? room : new ArrayBuffer(length))
  const view = new DataView(out.buffer)
  let at = files.length * rowBytes
  for (const [i, file] of files.entries()) {
    formatRow(out, view, i * rowBytes, file)
    out.set(bodies[i], at)
    at += bodies[i].length
  }
  const failures = files.flatMap((file) => (file.kind === 'failed' ? [file.error] : []))
  return {
    count: files.length,
    buffer: out.buffer,
    failures: failures.map(({ code, message }) => ({ code, message })),
  }
}

/** The inverse. Sealed streams are views of the buffer; all that is kept for longer is not. */
export function parsePacked({ count, buffer, failures }: PackedRows): PackedFile[] {
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  const files: PackedFile[] = []
  let at = count * rowBytes
  let failed = 0
  for (let row = 0; row < count * rowBytes; row += rowBytes) {
    const kind = kinds[view.getUint8(row)]
    const fuzzy = view.getUint8(row + 2) === 1
    const plaintextBytes = view.getUint32(row + 8)
    if (kind === 'stream') {
      const storedBytes = view.getUint32(row + 12)
      const end = at + sealedLength(storedBytes)
      files.push({
        kind,
        fuzzy,
        plaintextBytes,
        storedBytes,
        compression: compressions[view.getUint8(row + 1)],
        cutValue: view.getUint32(row + 4),
        tag: bytes.slice(row + tagAt, row + tagAt + 16),
        readKey: bytes.slice(row + readKeyAt, row + readKeyAt + 32),
        sealed: bytes.subarray(at, end),
      })
      at = end
    } else if (kind === 'literal') {
      files.push({ kind, fuzzy, bytes: bytes.slice(at, at + plaintextBytes) })
      at += plaintextBytes
    } else if (kind === 'large') files.push({ kind })
    else {
      const { code, message } = failures[failed++]
      files.push({ kind: 'failed', error: new GridError(code, message) })
    }
  }
  return files
}

function bodyOf(file: PackedFile): Uint8Array {
  if (file.kind === 'stream') return file.sealed
  return file.kind === 'literal' ? file.bytes : new Uint8Array(0)
}

function formatRow(out: Uint8Array, view: DataView, row: number, file: PackedFile): void {
  view.setUint8(row, kinds.indexOf(file.kind))
  if (file.kind === 'stream') formatStreamRow(out, view, row, file)
  else if (file.kind === 'literal') {
    view.setUint8(row + 2, file.fuzzy ? 1 : 0)
    view.setUint32(row + 8, file.bytes.length)
  }
}

function formatStreamRow(out: Uint8Array, view: DataView, row: number, file: PackedStream): void {
  view.setUint8(row + 1, compressions.indexOf(file.compression))
  view.setUint8(row + 2, file.fuzzy ? 1 : 0)
  view.setUint32(row + 4, file.cutValue)
  view.setUint32(row + 8, file.plaintextBytes)
  view.setUint32(row + 12, file.storedBytes)
  out.set(file.tag, row + tagAt)
  out.set(file.readKey, row + readKeyAt)
}
