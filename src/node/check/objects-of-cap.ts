/** Every object that a cap stands on, found with what it gives for checking: no read key is needed. */
import { asGridError, GridError } from '../../base/errors.ts'
import { plainText } from '../../base/plain-text.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { Cap, CapOf } from '../../caps/cap.ts'
import { capFingerprint } from '../../caps/describe.ts'
import { tooWeak } from '../../caps/refusal.ts'
import { verifyNameOf } from '../../tree/directory-cap.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'
import { walkVerify, type WalkMemory } from '../../tree/verify-walk.ts'
import type { Logs } from '../logs/logs.ts'
import type { CheckableObject } from './object-check.ts'

export type VerifyCap = CapOf<'CHK-Verifier' | 'DIR-CHK-Verifier' | 'LOG-Verify'>

/** Something that could not be looked into, so that nobody knows what lies below it. */
export interface Hidden {
  /** What it is, for people; no secret. */
  what: string
  error: GridError
}

export interface ObjectSource {
  reader: SliceReader
  logs: Logs
  /** What other caps of the run have come to already. */
  memory: WalkMemory
  onHidden: (hidden: Hidden) => void
  /** Whether servers of a log are handed what they lack of it, before it is read. */
  mendsLogs: boolean
  signal?: AbortSignal | undefined
}

/**
 * The cap with which `cap` is checked and repaired; undefined for a literal, which is nowhere.
 *
 * @throws E_CAP_WEAK for a LOG-Append cap, which holds no such right
 */
export function verifierOf(cap: Cap): VerifyCap | undefined {
  switch (cap.type) {
    case 'LIT':
      return undefined
    case 'CHK':
    case 'CHK-Slice':
      return attenuate(cap, 'CHK-Verifier')
    case 'DIR-CHK':
      return attenuate(cap, 'DIR-CHK-Verifier')
    case 'LOG-Admin':
    case 'LOG-Read':
    case 'LOG-Prune':
      return attenuate(cap, 'LOG-Verify')
    case 'LOG-Append':
      throw tooWeak(cap.type, 'LOG-Verify')
    default:
      return cap
  }
}

/** Yields each object once. What cannot be opened is told of, and the others follow. */
export async function* objectsOf(
  source: ObjectSource,
  cap: VerifyCap,
): AsyncGenerator<CheckableObject> {
  if (cap.type === 'LOG-Verify') yield* objectsOfLog(source, cap)
  else yield* objectsOfTree(source, cap, capFingerprint(cap))
}

async function* objectsOfTree(
  { reader, memory, onHidden, signal }: ObjectSource,
  cap: CapOf<'CHK-Verifier' | 'DIR-CHK-Verifier'>,
  what: string,
): AsyncGenerator<CheckableObject> {
  const top = verifyNameOf(cap)
  const { root, k, n } = cap
  if (top === undefined) {
    if (memory.isNewObject(cap)) yield { root, k, n }
    return
  }
  let isTopHidden = false
  const walk = walkVerify(reader, top, {
    memory,
    onHidden(node, error) {
      // the key of one stream in a bundle opens no node: there is nothing below it
      const isStream = cap.type === 'CHK-Verifier' && error.code === 'E_COMMIT'
      const isTop = node.verifyKey === top.verifyKey
      if (isTop) isTopHidden = true
      if (!isTop || !isStream) onHidden({ what, error })
    },
    ...(signal && { signal }),
  })
  yield* walk
  // of what cannot be read, something may be left to repair all the same
  if (isTopHidden && memory.isNewObject(cap)) yield { root, k, n }
}

/** Of all snapshots that servers show; what several share once. */
async function* objectsOfLog(
  source: ObjectSource,
  cap: CapOf<'LOG-Verify'>,
): AsyncGenerator<CheckableObject> {
  const { logs, onHidden, mendsLogs, signal } = source
  const options = signal === undefined ? {} : { signal }
  const what = capFingerprint(cap)
  try {
    const log = logs.reader(cap)
    let view = await log.read(options)
    if (mendsLogs && (await log.heal(view, options)) > 0) view = await log.read(options)
    const { state } = view.conclusion
    if (state !== 'FRESH') onHidden({ what, error: logError(state) })
    for await (const { check, error, device, seq } of log.snapshots(view, options)) {
      const name = `${what} snapshot ${seq}${device === '' ? '' : ` of ${plainText(device, 64)}`}`
      if (check !== undefined) yield* objectsOfTree(source, check.cap, name)
      else if (error !== undefined) onHidden({ what: name, error })
    }
  } catch (error) {
    signal?.throwIfAborted()
    onHidden({ what, error: asGridError(error, 'E_ENTRY', 'the log') })
  }
}

function logError(state: string): GridError {
  const code = state === 'STALE-POSSIBLE' ? 'E_NOT_DURABLE' : 'E_TRUNCATED'
  const why =
    state === 'STALE-POSSIBLE'
      ? 'too few of its servers answer, so newer snapshots may exist'
      : `its servers hide or contradict entries (${state})`
  return new GridError(code, why, { hint: 'see: grid log audit' })
}
