/**
 * What a keeper remembers from one run to the next: when it looked after each cap last, and how that
 * went. Without it everything is due: nothing is lost but time.
 */
import { toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import type { Cap } from '../caps/cap.ts'
import { formatCap } from '../caps/text.ts'
import type { RecordFolder } from '../node/home/record-folder.ts'

/** How the last visit to a cap ended. */
export interface CapState {
  /** When it began, by this machine's clock. */
  visitedMs: number
  /** When the next one is due. */
  dueMs: number
  /** Visits that failed since the last one that did not. */
  failures: number
  objects: number
  /** Objects that were not healthy in the end, or of which that is not known. */
  unwell: number
}

const stateFile = 'state.json'
const maxFileBytes = 64 * 2 ** 20
const nameBytes = 10

export class KeeperState {
  readonly #folder: RecordFolder
  readonly #caps: Map<string, CapState>

  private constructor(folder: RecordFolder, caps: Map<string, CapState>) {
    this.#folder = folder
    this.#caps = caps
  }

  /** A file that cannot be understood counts for none. Throws E_IO where it cannot be read. */
  static async open(folder: RecordFolder): Promise<KeeperState> {
    return new KeeperState(folder, parseState(await folder.read(stateFile, maxFileBytes)))
  }

  get(cap: Cap): CapState | undefined {
    return this.#caps.get(nameOfCap(cap))
  }

  /** Durable on return. Throws E_IO. */
  async set(cap: Cap, state: CapState): Promise<void> {
    this.#caps.set(nameOfCap(cap), state)
    await this.#save()
  }

  /** Forgets caps that are not among these. */
  keepOnly(caps: readonly Cap[]): void {
    const names = new Set(caps.map(nameOfCap))
    for (const name of this.#caps.keys()) if (!names.has(name)) this.#caps.delete(name)
  }

  #save(): Promise<void> {
    const caps = Object.fromEntries(this.#caps)
    return this.#folder.write(stateFile, utf8(`${JSON.stringify({ version: 1, caps })}\n`))
  }
}

/** A name that tells caps apart and opens nothing. */
export function nameOfCap(cap: Cap): string {
  return toBase32(sha256(utf8(formatCap(cap))).subarray(0, nameBytes))
}

function parseState(bytes: Uint8Array | undefined): Map<string, CapState> {
  const caps = new Map<string, CapState>()
  if (bytes === undefined) return caps
  try {
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as { caps?: unknown }
    for (const [name, value] of Object.entries(parsed.caps ?? {})) {
      const state = stateOf(value)
      if (state !== undefined) caps.set(name, state)
    }
  } catch {
    // whatever is due is looked after again
  }
  return caps
}

function stateOf(value: unknown): CapState | undefined {
  const { visitedMs, dueMs, failures, objects, unwell } = value as Partial<CapState>
  const all = [visitedMs, dueMs, failures, objects, unwell]
  if (!all.every((number) => Number.isSafeInteger(number) && number! >= 0)) return undefined
  return value as CapState
}
