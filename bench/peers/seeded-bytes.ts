/** Bytes that look random and are the same on every machine: AES-128-CTR over zeros. */
import { createCipheriv, createHash } from 'node:crypto'

const words =
  'backup share node grid key cap chunk index tree file read write verify repair lease merkle root shard erasure code store'.split(
    ' ',
  )

export class SeededBytes {
  readonly #cipher: ReturnType<typeof createCipheriv>

  constructor(seed: string) {
    const key = createHash('md5').update(seed).digest()
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  }

  bytes(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length))
  }

  /** From 0 to `limit` - 1; `limit` is at most 2^48. */
  int(limit: number): number {
    return this.bytes(6).readUIntBE(0, 6) % limit
  }

  /** Text of few words, which compresses well. */
  text(length: number): Buffer {
    const picks = this.bytes(length)
    let text = ''
    for (let i = 0; text.length < length; i++) {
      text += words[picks[i] % words.length] + (picks[i] > 240 ? '\n' : ' ')
    }
    return Buffer.from(text.slice(0, length))
  }
}
