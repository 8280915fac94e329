/** The ways in which a server of a run may misbehave, by the names that plans use. */
import { GridError } from '../../src/base/errors.ts'
import { faults, sometimes } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'

/** Those that the storage servers' own tests do not need. */
const more = {
  /** Is busy at every other call. */
  flaps: (): Fault => sometimes(0.5, faults.fails('E_BUSY')),

  /** Spoils a share now and then. */
  slips: (): Fault => sometimes(0.3, faults.flipsBit()),

  /** Refuses everything, in words that would play with a terminal. */
  scolds: (): Fault => {
    const refuse = async (): Promise<never> => {
      throw new GridError('E_FORBIDDEN', `\u001b[2J\u202e${'no\n'.repeat(1000)}`)
    }
    return { have: refuse, putShare: refuse, getBlocks: refuse, prove: refuse, status: refuse }
  },

  /** Holds the same share as all who do so: the first that any of them was given. */
  repeatsOneShare: (accomplice: StoragePeer): Fault => ({
    have: ({ asked: [indexes] }) => accomplice.have(indexes),
    putShare: async ({ asked: [storageIndex, shareNumber, share] }) => {
      const [numbers] = await accomplice.have([storageIndex])
      if (numbers.length === 0) return accomplice.putShare(storageIndex, shareNumber, share)
      const taken: Uint8Array[] = []
      for await (const piece of share.pieces) taken.push(piece)
      return 'stored'
    },
    getBlocks: ({ asked: [request] }) =>
      accomplice.getBlocks({ ...request, shareNumber: undefined }),
    prove: ({ asked }) => accomplice.prove(...asked),
  }),
}

export type Lie = keyof typeof faults | keyof typeof more

export const lies: readonly Lie[] = [...Object.keys(faults), ...Object.keys(more)] as Lie[]

/** The fault behind the name; `accomplice` is a store that liars have in common. */
export function faultOf(lie: Lie, accomplice: StoragePeer): Fault {
  if (lie === 'repeatsOneShare') return more.repeatsOneShare(accomplice)
  return lie in more ? more[lie as 'flaps']() : faults[lie as keyof typeof faults]()
}
