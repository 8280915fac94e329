/**
 * Pages and records under a key of one run (docs/specs/backup-cache.md, "Pages"): ChaCha20-Poly1305
 * with the number as its nonce, and what it is as associated data. A key seals one file only, and
 * each number once.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { u32be, utf8 } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'

export type PageKind = 'header' | 'rows' | 'objects' | 'trailer' | 'journal'

export const pageKeyBytes = 32
/** What sealing adds. */
export const sealBytes = 16

const cipherName = 'chacha20-poly1305'
const nonceBytes = 12

/** @param number - 0 … 2^32-1, not used before under this key */
export function sealPage(
  key: Uint8Array,
  kind: PageKind,
  number: number,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(cipherName, key, nonceOf(number), { authTagLength: sealBytes })
  cipher.setAAD(labelOf(kind), { plaintextLength: plaintext.length })
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  const sealed = new Uint8Array(ciphertext.length + sealBytes)
  sealed.set(ciphertext)
  sealed.set(cipher.getAuthTag(), ciphertext.length)
  return sealed
}

/** The inverse; the result is the caller's. Throws E_CACHE for anything but that page. */
export function openPage(
  key: Uint8Array,
  kind: PageKind,
  number: number,
  sealed: Uint8Array,
): Uint8Array {
  const length = sealed.length - sealBytes
  if (length < 0) throw damagedCache(`a ${kind} page that is cut short`)
  const decipher = createDecipheriv(cipherName, key, nonceOf(number), { authTagLength: sealBytes })
  decipher.setAAD(labelOf(kind), { plaintextLength: length })
  decipher.setAuthTag(sealed.subarray(length))
  const { buffer, byteOffset } = decipher.update(sealed.subarray(0, length))
  try {
    decipher.final()
  } catch (error) {
    throw damagedCache(`a ${kind} page that is not what was written`, error)
  }
  return new Uint8Array(buffer, byteOffset, length)
}

export function damagedCache(why: string, cause?: unknown): GridError {
  return new GridError('E_CACHE', `what the backup remembers is damaged: ${why}`, { cause })
}

function labelOf(kind: PageKind): Uint8Array {
  return utf8(`grid/backup-cache/${kind}`)
}

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(nonceBytes)
  nonce.set(u32be(number), nonceBytes - 4)
  return nonce
}
