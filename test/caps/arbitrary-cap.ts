/** Caps of every type, for properties. */
import fc from 'fast-check'
import type { Cap } from '../../src/caps/cap.ts'

const top = 2 ** 24
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const presentKey = key.filter((bytes) => bytes.some((byte) => byte !== 0))
const perhapsKey = fc.option(presentKey, { nil: undefined })
const place = fc
  .tuple(key, fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 255 }))
  .map(([root, a, b]) => ({ root, k: Math.min(a, b), n: Math.max(a, b) }))
const sizeBytes = fc.maxSafeNat()
const offsetBytes = fc.integer({ min: 0, max: top / 2 })
const storedBytes = fc.integer({ min: 0, max: top / 4 })

export const arbitraryCap: fc.Arbitrary<Cap> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((data): Cap => ({ type: 'LIT', data })),
  fc
    .tuple(key, place, sizeBytes)
    .map(([readKey, at, size]): Cap => ({ type: 'CHK', readKey, ...at, sizeBytes: size })),
  fc.tuple(key, place, storedBytes, offsetBytes).map(([readKey, at, length, offset]): Cap => ({
    type: 'CHK-Slice',
    readKey,
    ...at,
    sizeBytes: length,
    offsetBytes: offset,
    codec: 0,
    storedBytes: length,
  })),
  fc
    .tuple(key, place, fc.integer({ min: 0, max: top }), offsetBytes, storedBytes)
    .map(([readKey, at, size, offset, length]): Cap => ({
      type: 'CHK-Slice',
      readKey,
      ...at,
      sizeBytes: size,
      offsetBytes: offset,
      codec: 1,
      storedBytes: length,
    })),
  fc.tuple(perhapsKey, place, offsetBytes).map(([verifyKey, at, offset]): Cap => ({
    type: 'CHK-Verifier',
    verifyKey,
    ...at,
    offsetBytes: verifyKey === undefined ? 0 : offset,
  })),
  fc
    .tuple(key, place, fc.integer({ min: 64, max: top / 2 }), offsetBytes)
    .map(([readKey, at, sliceBytes, offset]): Cap => ({
      type: 'DIR-CHK',
      readKey,
      ...at,
      sliceBytes,
      offsetBytes: offset,
    })),
  fc.tuple(key, place, offsetBytes).map(([verifyKey, at, offset]): Cap => ({
    type: 'DIR-CHK-Verifier',
    verifyKey,
    ...at,
    offsetBytes: offset,
  })),
  fc.tuple(key, key).map(([adminSeed, logId]): Cap => ({ type: 'LOG-Admin', adminSeed, logId })),
  fc.tuple(key, key).map(([readSeed, logId]): Cap => ({ type: 'LOG-Read', readSeed, logId })),
  fc.tuple(key, key).map(([verifySeed, logId]): Cap => ({ type: 'LOG-Verify', verifySeed, logId })),
  fc.tuple(key, perhapsKey, key).map(([deviceSeed, convergenceSecret, logId]): Cap => ({
    type: 'LOG-Append',
    deviceSeed,
    convergenceSecret,
    logId,
  })),
  fc.tuple(key, key, key).map(([pruneSeed, verifySeed, logId]): Cap => ({
    type: 'LOG-Prune',
    pruneSeed,
    verifySeed,
    logId,
  })),
)
