/** Entry point of a worker thread: one Codec, one job at a time. */
import '../base/shim.ts'
import { parentPort, workerData } from 'node:worker_threads'
import { GridError } from '../base/errors.ts'
import { maxExtentBytes } from '../encoding/chunker.ts'
import { Codec } from '../encoding/codec.ts'
import { openErasureCode } from '../encoding/open-code.ts'
import type { WorkerReply, WorkerRequest } from './encoder-messages.ts'
import { syncFileReader } from './file-source.ts'

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread only')

const { engine } = workerData as { engine?: 'simd' | 'package' }
const codec = new Codec(openErasureCode({ engine }))
const readFile = syncFileReader()

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
  if (request.kind === 'decode') {
    const outcome = codec.decode(request.request)
    const results =
      'segments' in outcome
        ? [outcome.segments.ciphertext]
        : outcome.good.map(({ blocks }) => blocks)
    return reply({ kind: 'decoded', outcome }, buffersOf(results))
  }
  const { settings, out } = request
  const room = new Uint8Array(out)
  if (request.kind === 'content') {
    const object = codec.encodeContent(request.sealed, settings, room)
    return replyEncoded(out, object, undefined, 0)
  }
  const { input } = request
  const bytes = 'bytes' in input ? input.bytes : readFile(input.fd, input.position, maxExtentBytes)
  if (bytes.length === 0) {
    reply({ kind: 'cut', length: 0 }, [])
    return reply({ kind: 'ended', out }, [out])
  }
  const length = codec.cut(bytes, settings.secret, settings.profile)
  reply({ kind: 'cut', length }, [])
  const { readKey, ...object } = codec.encodeExtent(bytes.subarray(0, length), settings, room)
  replyEncoded(out, object, readKey, length)
}

function replyEncoded(
  out: ArrayBuffer,
  object: { root: Uint8Array; shares: Uint8Array[]; ciphertextBytes: number },
  readKey: Uint8Array | undefined,
  plaintextBytes: number,
): void {
  const { root, ciphertextBytes } = object
  const shareBytes = object.shares[0]?.length ?? 0
  reply({ kind: 'encoded', out, root, readKey, shareBytes, ciphertextBytes, plaintextBytes }, [out])
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
