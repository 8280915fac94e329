/** Entry point of a worker thread: one Codec, one job at a time. */
import '../../base/shim.ts'
import { parentPort, workerData } from 'node:worker_threads'
import { GridError } from '../../base/errors.ts'
import { Codec } from '../../encoding/codec.ts'
import type { EncodedObject } from '../../encoding/object.ts'
import { openErasureCode } from '../../encoding/open-code.ts'
import type { StreamShape } from '../../encoding/file-stream.ts'
import type { PackInput } from '../../encoding/pack.ts'
import type { WorkerReply, WorkerRequest } from './encoder-messages.ts'
import { syncFileReader } from './file-source.ts'
import { formatPacked } from './packed-rows.ts'

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread only')

const { engine } = workerData as { engine?: 'simd' | 'package' }
const codec = new Codec(openErasureCode({ engine }), syncFileReader)

port.on('message', (request: WorkerRequest) => {
  try {
    run(request)
  } catch (error) {
    const { code, message } =
      error instanceof GridError
        ? error
        : { code: codeOf(error), message: (error as Error).message }
    reply({ kind: 'failed', code, message }, [])
  }
})

function run(request: WorkerRequest): void {
  switch (request.kind) {
    case 'cut':
      return cut(request)
    case 'extent': {
      const { plaintext, settings, out } = request
      const object = codec.encodeExtent(plaintext, settings, new Uint8Array(out))
      return replyEncoded(out, object, object, plaintext.buffer as ArrayBuffer)
    }
    case 'content': {
      const { sealed, settings, out } = request
      const object = codec.encodeContent(sealed, settings, new Uint8Array(out))
      return replyEncoded(out, object, undefined, sealed.buffer as ArrayBuffer)
    }
    case 'recode': {
      const { object, ciphertext, nonces, out } = request
      return replyEncoded(out, codec.recode(object, ciphertext, new Uint8Array(out), nonces))
    }
    case 'pack': {
      const rows = formatPacked(codec.pack(inputsOf(request), request.settings), request.out)
      return reply({ kind: 'packed', rows }, [rows.buffer])
    }
    case 'decode': {
      const outcome = codec.decode(request.request)
      const results =
        'segments' in outcome
          ? [outcome.segments.ciphertext]
          : outcome.good.map(({ blocks }) => blocks)
      return reply({ kind: 'decoded', outcome }, buffersOf(results))
    }
  }
}

function cut({ file, room, settings }: Extract<WorkerRequest, { kind: 'cut' }>): void {
  const length = file ? syncFileReader.read(file.fd, file.position, room) : room.length
  const found =
    length > 0 ? codec.cut(room.subarray(0, length), settings) : { length, tag: undefined }
  const buffer = room.buffer as ArrayBuffer
  reply({ kind: 'cut', room: buffer, ...found }, [buffer])
}

function inputsOf({ fds, lengths, bytes }: Extract<WorkerRequest, { kind: 'pack' }>): PackInput[] {
  let at = 0
  return Array.from(fds, (fd, i): PackInput => {
    if (fd >= 0) return { fd }
    at += lengths[i]
    return { bytes: bytes.subarray(at - lengths[i], at) }
  })
}

function replyEncoded(
  out: ArrayBuffer,
  object: EncodedObject & { proofs?: Uint8Array[] },
  shape?: StreamShape,
  plaintext?: ArrayBuffer,
): void {
  const { root, ciphertextBytes, proofs = [] } = object
  const shareBytes = object.shares[0]?.length ?? 0
  const stream = shape && {
    readKey: shape.readKey,
    plaintextBytes: shape.plaintextBytes,
    compression: shape.compression,
    storedBytes: shape.storedBytes,
  }
  reply(
    { kind: 'encoded', out, root, shareBytes, ciphertextBytes, proofs, stream, plaintext },
    plaintext ? [out, plaintext] : [out],
  )
}

/** The buffers behind `arrays`, each once: what may be transferred. */
function buffersOf(arrays: readonly Uint8Array[]): ArrayBuffer[] {
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]
}

function reply(message: WorkerReply, transfers: ArrayBuffer[]): void {
  port?.postMessage(message, transfers)
}

function codeOf(error: unknown): 'E_FILE' | 'E_INTERNAL' {
  return error instanceof Error && 'syscall' in error ? 'E_FILE' : 'E_INTERNAL'
}
