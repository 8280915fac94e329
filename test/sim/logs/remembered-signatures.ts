/**
 * Signatures are most of what a simulated log costs, and the same ones are made and checked again
 * and again by servers and readers of one process. Here node:crypto remembers what it did; the
 * answers are those it would give anyway.
 */
import crypto, { type KeyObject } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

type Names = 'createPrivateKey' | 'createPublicKey' | 'verify'

/** Forgotten all at once when there are so many. */
const maxRemembered = 50_000

const keys = new Map<string, KeyObject>()
const publicKeys = new WeakMap<KeyObject, KeyObject>()
const names = new WeakMap<KeyObject, string>()
const verdicts = new Map<string, boolean>()

function remembered<T>(memory: Map<string, T>, name: string, make: () => T): T {
  const known = memory.get(name)
  if (known !== undefined) return known
  if (memory.size >= maxRemembered) memory.clear()
  const made = make()
  memory.set(name, made)
  return made
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Runs `work` while node:crypto remembers Ed25519 keys and verdicts. */
export async function rememberingSignatures<T>(work: () => Promise<T>): Promise<T> {
  const target = crypto as unknown as Record<Names, (...args: never[]) => unknown>
  const { createPrivateKey, createPublicKey, verify } = crypto
  const keyOf = (make: (key: never) => KeyObject, key: { key: Uint8Array }): KeyObject => {
    const name = textOf(key.key)
    const made = remembered(keys, name, () => make(key as never))
    names.set(made, name)
    return made
  }
  target.createPrivateKey = (key: { key: Uint8Array }) => keyOf(createPrivateKey, key)
  target.createPublicKey = (key: KeyObject | { key: Uint8Array }) => {
    if ('key' in key) return keyOf(createPublicKey, key)
    const made = publicKeys.get(key) ?? createPublicKey(key)
    publicKeys.set(key, made)
    return made
  }
  target.verify = (hash: null, message: Uint8Array, key: KeyObject, signature: Uint8Array) => {
    const name = `${names.get(key)} ${textOf(signature)}${textOf(message)}`
    return remembered(verdicts, name, () => verify(hash, message, key, signature))
  }
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    Object.assign(target, { createPrivateKey, createPublicKey, verify })
    syncBuiltinESMExports()
  }
}
