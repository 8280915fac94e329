/**
 * Whether an entry may have its name in a directory of the target. It knows the directory's names
 * by the last one only, since they ascend.
 */
import { compareBytes } from '../base/bytes.ts'
import { checkName } from '../tree/entry.ts'
import { foldedName, isWindowsName } from './name-rules.ts'
import type { NoticeCode } from './notice.ts'
import { type Guard, guardBelow } from './startup-guard.ts'

export interface ClaimRules {
  /** Names that differ in case or composition only are one. */
  foldsNames: boolean
  windowsNames: boolean
  guard: Guard | undefined
}

export class Claims {
  readonly #rules: ClaimRules
  readonly #folded: Set<string> | undefined
  #last: Uint8Array | undefined

  constructor(rules: ClaimRules) {
    this.#rules = rules
    this.#folded = rules.foldsNames ? new Set() : undefined
  }

  /** Whether it is a name above the one before, whatever comes of it: then the directory has it. */
  follows(name: Uint8Array): NoticeCode | undefined {
    try {
      checkName(name)
    } catch {
      return 'name'
    }
    if (this.#last !== undefined && compareBytes(this.#last, name) >= 0) return 'order'
    this.#last = name.slice()
    return undefined
  }

  /** Why something that follows may not be made all the same. */
  refusal(name: Uint8Array): NoticeCode | undefined {
    const { windowsNames, guard } = this.#rules
    if (windowsNames && !isWindowsName(name)) return 'name'
    if (guardBelow(guard, name) === true) return 'startup'
    if (this.#folded === undefined) return undefined
    const folded = foldedName(name)
    if (this.#folded.has(folded)) return 'collision'
    this.#folded.add(folded)
    return undefined
  }
}
