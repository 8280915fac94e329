/**
 * Peer ids: the text form of an Ed25519 public key that libp2p uses, so that a name is a key.
 *
 * The id is base58btc of an identity multihash (00 24) of the key in libp2p's protobuf envelope
 * (08 01 12 20 ‖ 32 bytes), by the libp2p "Peer Ids and Keys" specification.
 */
import { concat, equalBytes } from './bytes.ts'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const prefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const publicKeyBytes = 32
/** An id always has 52 characters and begins with 12D3KooW. */
const peerIdLength = 52

/** The id of `publicKey`, 32 bytes. */
export function peerIdOf(publicKey: Uint8Array): string {
  if (publicKey.length !== publicKeyBytes) throw new RangeError('peer id: the key needs 32 bytes')
  return toBase58(concat(prefix, publicKey))
}

/** The public key inside `peerId`, or undefined where it is not the id of an Ed25519 key. */
export function publicKeyOf(peerId: string): Uint8Array | undefined {
  if (peerId.length !== peerIdLength) return undefined
  const bytes = fromBase58(peerId, prefix.length + publicKeyBytes)
  if (bytes === undefined || !equalBytes(bytes.subarray(0, prefix.length), prefix)) return undefined
  return bytes.subarray(prefix.length)
}

/** The leading zero byte of the prefix is the leading '1'; the rest is one number. */
function toBase58(bytes: Uint8Array): string {
  let text = ''
  for (let value = toInteger(bytes); value > 0n; value /= 58n) {
    text = alphabet.charAt(Number(value % 58n)) + text
  }
  return `1${text}`
}

function fromBase58(text: string, byteLength: number): Uint8Array | undefined {
  let value = 0n
  for (const letter of text) {
    const digit = alphabet.indexOf(letter)
    if (digit < 0) return undefined
    value = value * 58n + BigInt(digit)
  }
  const out = new Uint8Array(byteLength)
  for (let at = byteLength - 1; at >= 0; at--, value >>= 8n) out[at] = Number(value & 0xffn)
  return value === 0n && text.startsWith('1') ? out : undefined
}

function toInteger(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
