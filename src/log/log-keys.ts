/** Every key of a log that follows from its admin seed (docs/specs/log.md, "Keys"). */
import { publicKeyOfSeed } from '../base/ed25519.ts'
import {
  logAdminSignSeedOf,
  logConvergenceSecretOf,
  logKemSeedOf,
  logReadSeedOf,
  logVerifySeedOf,
} from '../caps/keys.ts'
import { kemPublicKeyOf } from './x-wing.ts'

export interface LogKeys {
  /** Seed and public key of the admin's Ed25519 key. */
  signSeed: Uint8Array
  adminKey: Uint8Array
  /** What the LOG-Read and LOG-Verify caps hold. */
  readSeed: Uint8Array
  verifySeed: Uint8Array
  /** X-Wing public keys. */
  readerKey: Uint8Array
  verifierKey: Uint8Array
  /** Convergence secret of epoch 0. */
  convergenceSecret: Uint8Array
}

/** @param adminSeed - 32 uniformly random bytes: what the LOG-Admin cap holds */
export function logKeysOf(adminSeed: Uint8Array): LogKeys {
  const signSeed = logAdminSignSeedOf(adminSeed)
  const readSeed = logReadSeedOf(adminSeed)
  const verifySeed = logVerifySeedOf(readSeed)
  return {
    signSeed,
    adminKey: publicKeyOfSeed(signSeed),
    readSeed,
    verifySeed,
    readerKey: kemPublicKeyOf(logKemSeedOf(readSeed)),
    verifierKey: kemPublicKeyOf(logKemSeedOf(verifySeed)),
    convergenceSecret: logConvergenceSecretOf(adminSeed, 0),
  }
}
