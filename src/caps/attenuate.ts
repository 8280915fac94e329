/** Weaker caps from stronger ones, without asking anybody (docs/specs/caps.md, "Attenuation"). */
import type { Cap, CapOf, CapType } from './cap.ts'
import { logReadSeedOf, logVerifySeedOf, verifyKeyOf } from './keys.ts'
import { tooWeak } from './refusal.ts'

/**
 * The cap one step weaker than `cap`. Throws E_CAP_WEAK where there is none: a literal, a
 * verifier, and an append cap, which holds no other right.
 */
export function attenuate(cap: Cap): Cap
/**
 * A cap of type `to` made from `cap`, in as many steps as it takes; `cap` itself if it is one.
 * Throws E_CAP_WEAK if `cap` does not include it.
 */
export function attenuate<T extends CapType>(cap: Cap, to: T): CapOf<T>
export function attenuate(cap: Cap, to?: CapType): Cap {
  let weaker = to === undefined ? weaken(cap) : cap
  while (weaker !== undefined && to !== undefined && weaker.type !== to) weaker = weaken(weaker)
  if (weaker === undefined) throw tooWeak(cap.type, to)
  return weaker
}

function weaken(cap: Cap): Cap | undefined {
  switch (cap.type) {
    case 'CHK':
      return { type: 'CHK-Verifier', ...verifier(cap, 0) }
    case 'CHK-Slice':
      return { type: 'CHK-Verifier', ...verifier(cap, cap.offsetBytes) }
    case 'DIR-CHK':
      return { type: 'DIR-CHK-Verifier', ...verifier(cap, cap.offsetBytes) }
    case 'LOG-Admin':
      return { type: 'LOG-Read', readSeed: logReadSeedOf(cap.adminSeed), logId: cap.logId }
    case 'LOG-Read':
      return {
        type: 'LOG-Verify',
        verifySeed: logVerifySeedOf(cap.readSeed),
        logId: cap.logId,
      }
    case 'LOG-Prune':
      return { type: 'LOG-Verify', verifySeed: cap.verifySeed, logId: cap.logId }
    default:
      return undefined
  }
}

interface ObjectRead {
  readKey: Uint8Array
  root: Uint8Array
  k: number
  n: number
}

function verifier({ readKey, root, k, n }: ObjectRead, offsetBytes: number) {
  return { verifyKey: verifyKeyOf(readKey), root, k, n, offsetBytes }
}
