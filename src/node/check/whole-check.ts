/**
 * Checks every byte of an object: k shares are read and decoded, all n are made anew and must hit the
 * root, and every server proves that it holds exactly the share it says it has, meanwhile.
 *
 * A proof is a keyed hash of the whole share under a fresh nonce (docs/specs/share.md, "Possession"):
 * as good as reading the share, without moving it. A server that gives no proofs is read from.
 */
import { equalBytes } from '../../base/bytes.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { hmac } from '../../base/hash.ts'
import { mapWithin } from '../../base/limit.ts'
import { segmentBytes, storageIndexOf } from '../../encoding/descriptor.ts'
import type { EncodedShares, Encoder, RecodedShares } from '../../encoding/encoder.ts'
import type { Candidate, PeerVerdict } from '../peers/candidate.ts'
import { downloadSegments } from '../objects/object-download.ts'
import { auditBlock, type AuditContext, patiently, settle, settleFailure } from './block-audit.ts'
import type { CheckableObject, Claim } from './object-check.ts'

export interface WholeCheckContext extends AuditContext {
  /** For large objects: worker threads. */
  encoder: Encoder
  smallEncoder: Encoder
}

/** As many segments as an object can have. */
const allSegments = 128
const nonceBytes = 32
/** Reading a whole share through may take a disk this long. */
const proofMs = 30_000
/** Objects up to this length are coded on the calling thread. */
const smallBytes = 256 * 1024
const proofsTogether = 16

export interface WholeCheckOptions {
  signal?: AbortSignal | undefined
  /** All n shares, where the caller has made them already; handed over. */
  made?: EncodedShares | undefined
}

/**
 * Checks all claims, and writes into each what came of it. Resolves to all n shares, which the caller
 * releases; undefined where too few are good to make them, or what they are made of is malformed.
 */
export async function checkWhole(
  context: WholeCheckContext,
  object: CheckableObject,
  claims: readonly Claim[],
  { signal, made }: WholeCheckOptions = {},
): Promise<EncodedShares | undefined> {
  const options = signal === undefined ? {} : { signal }
  const nonces = Array.from({ length: object.n }, () => context.random.bytes(nonceBytes))
  // servers read their shares while some of them are fetched and made anew
  const asked = mapWithin(proofsTogether, claims, (claim) =>
    askProof(context, object, claim, nonces[claim.shareNumber], options),
  )
  asked.catch(() => undefined)
  const shares =
    made === undefined
      ? await remake(context, object, claims, { ...options, nonces })
      : { ...made, proofs: nonces.map((nonce, i) => hmac(nonce, made.shares[i])) }
  if (shares === undefined) return undefined
  try {
    const proofs = await asked
    const numbers = claims.map((_, i) => i)
    await mapWithin(proofsTogether, numbers, (i) =>
      compareShare(context, object, claims[i], { shares, proof: proofs[i] }, options),
    )
    return shares
  } catch (error) {
    shares.release(true)
    throw error
  }
}

/** All n shares, made of k that servers have. */
async function remake(
  context: WholeCheckContext,
  object: CheckableObject,
  claims: readonly Claim[],
  { nonces, ...options }: { signal?: AbortSignal; nonces: readonly Uint8Array[] },
): Promise<RecodedShares | undefined> {
  const { clock, health } = context
  const isSmall = (object.ciphertextBytes ?? Infinity) <= smallBytes
  const encoder = isSmall ? context.smallEncoder : context.encoder
  const good = claims.filter(({ answer }) => answer === 'has')
  const holders = [...new Set(good.map(({ candidate }) => candidate))]
  const segmentCount =
    object.ciphertextBytes === undefined
      ? allSegments
      : Math.ceil(object.ciphertextBytes / segmentBytes)
  const range = { object, firstSegment: 0, segmentCount }
  try {
    const found = await downloadSegments({ clock, health, encoder }, holders, range, options)
    return await encoder.recode(object, found.ciphertext, { ...options, nonces })
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isGridError(error, 'E_ENCODING')) {
      // whatever shares there are, they are of nothing that could be read
      for (const claim of claims) settle(claim, 'damaged', 'whole', 'E_ENCODING')
      return undefined
    }
    if (!isGridError(error, 'E_NOT_ENOUGH_SHARES', 'E_VERSION')) throw error
    const verdicts = error.facts.servers as PeerVerdict[]
    for (const { peerId, code, message } of verdicts) {
      const own = good.filter(({ candidate }) => candidate.id === peerId)
      const isWrong = code === 'E_SHARE'
      for (const claim of own) {
        // whatever it shows of itself elsewhere: what it gave cannot be used
        if (isWrong) settle(claim, 'damaged', 'whole', code)
        else settleFailure(claim, new GridError(code, message))
      }
    }
    const rest = good.filter(({ answer }) => answer === 'has')
    await mapWithin(proofsTogether, rest, (claim) => auditBlock(context, object, claim, options))
    return undefined
  }
}

/** What a server says to prove that it has a share: the proof, or what kept it from giving one. */
type Proof = { proof: Uint8Array } | { error: unknown }

async function askProof(
  context: WholeCheckContext,
  { root }: CheckableObject,
  { answer, candidate, shareNumber }: Claim,
  nonce: Uint8Array,
  options: { signal?: AbortSignal },
): Promise<Proof | undefined> {
  if (answer !== 'has') return undefined
  const prove = (signal: AbortSignal): Promise<Uint8Array> =>
    candidate.peer.prove(storageIndexOf(root), shareNumber, nonce, { signal })
  try {
    return { proof: await patiently(context, options, prove, proofMs) }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { error }
  }
}

async function compareShare(
  context: WholeCheckContext,
  object: CheckableObject,
  claim: Claim,
  { shares, proof }: { shares: RecodedShares; proof: Proof | undefined },
  options: { signal?: AbortSignal },
): Promise<void> {
  const { answer, candidate, shareNumber } = claim
  if (answer !== 'has' || proof === undefined) return
  if ('error' in proof) {
    if (isGridError(proof.error, 'E_RATE', 'E_UNKNOWN_VERB', 'E_FORBIDDEN')) {
      const storageIndex = storageIndexOf(object.root)
      await compare(context, candidate, claim, shares.shares[shareNumber], storageIndex, options)
    } else settleFailure(claim, proof.error)
    return
  }
  if (equalBytes(proof.proof, shares.proofs[shareNumber])) {
    settle(claim, 'has', 'whole')
    return
  }
  await auditBlock(context, object, claim, options)
  // one block may be sound where another is not
  if (claim.answer === 'has') settle(claim, 'damaged', 'whole')
}

/** Reads the whole share, of a server that gives no proof of it. */
async function compare(
  context: WholeCheckContext,
  { peer }: Candidate,
  claim: Claim,
  share: Uint8Array,
  storageIndex: Uint8Array,
  options: { signal?: AbortSignal },
): Promise<void> {
  const { shareNumber } = claim
  const part = { firstSegment: 0, segmentCount: allSegments, maxBytes: share.length }
  const request = { storageIndex, shareNumber, header: true, ...part }
  try {
    const { header, blocks } = await patiently(
      context,
      options,
      (signal) => peer.getBlocks(request, { signal }),
      proofMs,
    )
    const isSound =
      header.length + blocks.length === share.length &&
      equalBytes(header, share.subarray(0, header.length)) &&
      equalBytes(blocks, share.subarray(header.length))
    settle(claim, isSound ? 'has' : 'damaged', 'whole')
  } catch (error) {
    options.signal?.throwIfAborted()
    settleFailure(claim, error)
  }
}
