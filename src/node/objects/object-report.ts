/** What came of placing one object. */
import type { PeerVerdict } from '../peers/candidate.ts'
import type { Crowding } from '../placement/placement.ts'

export interface ObjectReport {
  /** The server of each share that is on disk, by share number; all distinct. */
  holders: Map<number, string>
  /** Bytes sent, and bytes of shares that servers proved to have already. */
  sentBytes: number
  hadBytes: number
  /** The failure domain that holds more of its shares than it should, if one does. */
  crowding?: Crowding
  /** Servers that did not help, and why. */
  verdicts: PeerVerdict[]
}
