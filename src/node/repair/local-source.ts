/**
 * Repairs a file from the file itself, where too few shares are left: it is coded as if it were put
 * again, and only if that gives the very root of the cap is anything sent.
 */
import { equalBytes } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import type { CapOf } from '../../caps/cap.ts'
import type { EncodedShares, EncodeSettings } from '../../encoding/encoder.ts'
import type { Candidate } from '../peers/candidate.ts'
import { concludeObject } from '../check/object-check.ts'
import { Presence } from '../check/presence.ts'
import type { WholeCheckContext } from '../check/whole-check.ts'
import { capOfContent } from '../content/file-content.ts'
import { type FileInput, uploadFile } from '../content/file-upload.ts'
import { mendObject, type MendReport } from './mend-object.ts'

export interface LocalRepair {
  objects: number
  written: number
  writtenBytes: number
  /** The least number of distinct servers that any object is on afterwards. */
  servers: number
  /** As many as each object should be on. */
  wanted: number
}

export interface LocalSource {
  /** The file, which must not change meanwhile. */
  input: FileInput
  /** Convergence secrets under which it may have been put, 32 bytes each. */
  secrets: readonly Uint8Array[]
  candidates: readonly Candidate[]
}

/**
 * Puts every share of the file that servers lack.
 *
 * @throws E_FILE where the file is not what the cap is of, or was put under none of these secrets; what
 *   `mendObject` throws
 */
export async function repairFromFile(
  context: WholeCheckContext,
  cap: CapOf<'CHK-Verifier'>,
  source: LocalSource,
  options: { signal?: AbortSignal } = {},
): Promise<LocalRepair> {
  const settings = await settingsOf(context, cap, source, options)
  if (settings === undefined) {
    throw new GridError(
      'E_FILE',
      'the file is not what this cap is of, or was put by another account',
      {
        hint: 'give the very file, and the home that put it with --home',
      },
    )
  }
  const repair: LocalRepair = {
    objects: 0,
    written: 0,
    writtenBytes: 0,
    servers: Infinity,
    wanted: cap.n,
  }
  const presence = new Presence(context, source.candidates, 'long')
  const place = async (made: EncodedShares): Promise<void> => {
    const { written, writtenBytes, servers } = await mend(context, presence, made, options)
    repair.objects++
    repair.written += written
    repair.writtenBytes += writtenBytes
    repair.servers = Math.min(repair.servers, servers)
  }
  const { encoder } = context
  const file = await uploadFile({ encoder, settings, place }, source.input, options)
  await file.stored
  return repair
}

/** What the file was put with: found by coding it, and sending nothing. */
async function settingsOf(
  { encoder }: WholeCheckContext,
  { root, k, n }: CapOf<'CHK-Verifier'>,
  { input, secrets }: LocalSource,
  options: { signal?: AbortSignal },
): Promise<EncodeSettings | undefined> {
  const place = async (made: EncodedShares): Promise<void> => made.release(true)
  for (const secret of secrets) {
    for (const profile of ['cdc', 'fixed'] as const) {
      const settings: EncodeSettings = { secret, coding: { k, n }, profile }
      const file = await uploadFile({ encoder, settings, place }, input, options)
      await file.stored
      const found = capOfContent(file.content)
      if (found.type === 'CHK' && equalBytes(found.root, root)) return settings
    }
  }
  return undefined
}

async function mend(
  context: WholeCheckContext,
  presence: Presence,
  made: EncodedShares,
  options: { signal?: AbortSignal },
): Promise<MendReport> {
  const { root, coding, ciphertextBytes } = made
  const object = { root, ...coding, ciphertextBytes }
  try {
    const { claims, unheard, answered } = await presence.ask([object], options)
    const check = concludeObject(object, claims[0], unheard)
    return await mendObject(context, answered, check, 'missing', { ...options, made })
  } catch (error) {
    made.release(false)
    throw error
  }
}
