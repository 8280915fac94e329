/**
 * The outer wall of a grid (docs/specs/psk.md): under Noise every byte of a connection is enciphered
 * with keys from a secret that all nodes share, and who does not know it gets no byte in answer. It
 * hides that there is a grid; who is who, and that nothing was changed, Noise sees to.
 */
import { createCipheriv } from 'node:crypto'
import type { ConnectionProtector, MessageStream, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, byteStream, type SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'
import { concat, equalBytes, utf8 } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { expand, hmac } from '../../base/hash.ts'
import type { Random } from '../../base/random.ts'

export const nonceBytes = 32
/** A nonce, and what shows that its sender knows the secret. */
const greetingBytes: number = 2 * nonceBytes
const labels = { hello: utf8('grid/v1/psk/hello'), answer: utf8('grid/v1/psk/answer') }

/** Secrets of 32 bytes: the first is dialled with, and who comes with any of them is let in. */
export function pskWall(secrets: readonly Uint8Array[], random: Random): () => ConnectionProtector {
  return () => ({
    async protect(stream: MessageStream, options): Promise<MessageStream> {
      // what a host protects is always a connection, not yet a stream in one
      const connection = stream as MultiaddrConnection
      const bytes = byteStream(connection)
      const read = async (): Promise<Uint8Array> =>
        (await bytes.read({ bytes: greetingBytes, ...options })).subarray()
      const own = random.bytes(nonceBytes)
      if (connection.direction === 'outbound') {
        const [secret] = secrets
        await bytes.write(concat(own, hmac(secret, labels.hello, own)), options)
        const [theirs, proof] = halves(await read())
        if (!equalBytes(proof, hmac(secret, labels.answer, own, theirs))) throw stranger()
        const keys = keysOf(secret, own, theirs)
        return new Enciphered(bytes.unwrap(), { sends: keys.dialler, receives: keys.listener })
      }
      const [theirs, proof] = halves(await read())
      const secret = secrets.find((each) => equalBytes(proof, hmac(each, labels.hello, theirs)))
      if (secret === undefined) {
        connection.abort(stranger())
        throw stranger()
      }
      await bytes.write(concat(own, hmac(secret, labels.answer, theirs, own)), options)
      const keys = keysOf(secret, theirs, own)
      return new Enciphered(bytes.unwrap(), { sends: keys.listener, receives: keys.dialler })
    },
  })
}

function halves(greeting: Uint8Array): [nonce: Uint8Array, proof: Uint8Array] {
  return [greeting.slice(0, nonceBytes), greeting.slice(nonceBytes)]
}

/** Keys of one connection: no other has them, since either side has added to them. */
function keysOf(
  secret: Uint8Array,
  diallerNonce: Uint8Array,
  listenerNonce: Uint8Array,
): { dialler: Uint8Array; listener: Uint8Array } {
  const key = hmac(secret, diallerNonce, listenerNonce)
  return { dialler: expand(key, 'psk/dialler'), listener: expand(key, 'psk/listener') }
}

function stranger(): GridError {
  return new GridError('E_UNREACHABLE', 'the other side does not know the secret of this grid')
}

/** AES-256-CTR from zero on: each key is for one direction of one connection. */
function keystreamOf(key: Uint8Array): (bytes: Uint8Array) => Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  return (bytes) => cipher.update(bytes)
}

class Enciphered extends AbstractMultiaddrConnection {
  readonly #connection: MultiaddrConnection
  readonly #encipher: (bytes: Uint8Array) => Uint8Array

  constructor(connection: MultiaddrConnection, keys: { sends: Uint8Array; receives: Uint8Array }) {
    const { remoteAddr, direction, log } = connection
    super({ remoteAddr, direction, log })
    this.#connection = connection
    this.#encipher = keystreamOf(keys.sends)
    const decipher = keystreamOf(keys.receives)
    connection.addEventListener('message', ({ data }) => {
      const pieces = data instanceof Uint8Array ? [data] : data
      for (const piece of pieces) this.onData(decipher(piece))
    })
    connection.addEventListener('drain', () => this.onMuxerDrain())
    connection.addEventListener('close', ({ error, local }) => {
      if (error === undefined) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
  }

  sendData(data: Uint8ArrayList): SendResult {
    const canSendMore = this.#connection.send(this.#encipher(data.subarray()))
    return { sentBytes: data.byteLength, canSendMore }
  }

  async sendClose(options?: { signal?: AbortSignal }): Promise<void> {
    await this.#connection.close(options)
  }

  sendReset(error: Error): void {
    this.#connection.abort(error)
  }

  sendPause(): void {
    this.#connection.pause()
  }

  sendResume(): void {
    this.#connection.resume()
  }
}
