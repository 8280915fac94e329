/** Names of one file in the target, as they are made: each waits for the one before it. */
import type { Identity } from './open-directory.ts'

/** A name that the next one of the same file can be linked to. */
export interface LinkSource {
  /** Names from the root of the target to the directory. */
  above: readonly Uint8Array[]
  name: Uint8Array
  identity: Identity
  sizeBytes: number
  mtimeNs: bigint
}

export class LinkGroups {
  readonly #last = new Map<number, Promise<LinkSource | undefined>>()

  /**
   * Runs `make` when all earlier names of the file have been made, with what it can link to, if
   * anything. It gives back what the next may link to.
   */
  async inTurn<T extends { source?: LinkSource | undefined }>(
    number: number,
    make: (source: LinkSource | undefined) => Promise<T>,
  ): Promise<T> {
    const before = this.#last.get(number)
    const made = (async () => make(await before))()
    const after = made.then(
      ({ source }) => source,
      () => undefined,
    )
    this.#last.set(number, after)
    return made
  }
}
