/**
 * The caps that a keeper looks after: one a line in a file for its owner alone. They are verify caps,
 * and nothing stronger is ever kept: whoever takes the file can check and repair, and read nothing.
 */
import { utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import type { Cap } from '../caps/cap.ts'
import { parseCap } from '../caps/parse.ts'
import { formatCap } from '../caps/text.ts'
import { type VerifyCap, verifierOf } from '../node/check/objects-of-cap.ts'
import type { RecordFolder } from '../node/home/record-folder.ts'

export const keeperCapsFile = 'keeper.caps'
/** A hundred thousand caps. */
const maxFileBytes = 32 * 2 ** 20

export class KeeperCaps {
  readonly #folder: RecordFolder

  /** @param folder - `private/` of a home */
  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  /** In the order in which they were added. Throws E_IO; E_CONFIG for a file that holds something else. */
  async list(): Promise<VerifyCap[]> {
    const bytes = await this.#folder.read(keeperCapsFile, maxFileBytes)
    const lines = new TextDecoder().decode(bytes ?? new Uint8Array(0)).split('\n')
    try {
      return lines
        .filter((line) => line.trim() !== '')
        .flatMap((line) => verifierOf(parseCap(line)) ?? [])
    } catch (cause) {
      throw new GridError('E_CONFIG', `${keeperCapsFile} holds a line that is no cap to check`, {
        cause,
      })
    }
  }

  /**
   * Adds what `caps` let one check, each once; durable on return.
   *
   * @returns how many were not there before
   * @throws E_CAP_WEAK for one that does not let its holder check; E_IO
   */
  async add(caps: readonly Cap[]): Promise<number> {
    const known = new Set((await this.list()).map(formatCap))
    const before = known.size
    for (const cap of caps) {
      const verifier = verifierOf(cap)
      if (verifier !== undefined) known.add(formatCap(verifier))
    }
    if (known.size > before) await this.#write(known)
    return known.size - before
  }

  /** Forgets those that stand on the same as `caps`. @returns how many were there */
  async remove(caps: readonly Cap[]): Promise<number> {
    const known = new Set((await this.list()).map(formatCap))
    const before = known.size
    for (const cap of caps) {
      const verifier = verifierOf(cap)
      if (verifier !== undefined) known.delete(formatCap(verifier))
    }
    if (known.size < before) await this.#write(known)
    return before - known.size
  }

  #write(lines: ReadonlySet<string>): Promise<void> {
    const text = [...lines].map((line) => `${line}\n`).join('')
    return this.#folder.write(keeperCapsFile, utf8(text))
  }
}
