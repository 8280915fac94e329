/** Whether servers know of more of the admin's than a writer did: perhaps of a newer config (docs/specs/log.md, "Appending"). */
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { peerIdOf } from '../base/peer-id.ts'
import { type LogConfig, quorumOf } from './log-config.ts'
import type { LogPeer } from './log-peer.ts'
import type { LogView } from './log-view.ts'
import { askServers, type ServerAnswer } from './server-answer.ts'

/**
 * Asks those who have just given receipts. True if one claims a longer admin chain than `view` has,
 * or if no quorum of `configs` answers.
 */
export async function mayHaveMoved(
  view: LogView,
  configs: readonly LogConfig[],
  peers: readonly LogPeer[],
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<boolean> {
  const { logId } = view
  const admin = toHex(view.genesis.adminKey)
  const known = view.heads.find(({ author }) => toHex(author) === admin)?.seq ?? 0
  const isEnough = (answers: readonly ServerAnswer[]): boolean => {
    const sound = answers.filter(({ error }) => error === undefined)
    const ids = new Set(sound.map(({ peer }) => peer.id))
    return configs.every(({ servers }) => {
      const answered = servers.filter((key) => ids.has(peerIdOf(key))).length
      return answered >= quorumOf(servers.length)
    })
  }
  const question = { logId, genesis: false }
  const answers = await askServers(peers, question, { clock, isEnough, signal })
  return !isEnough(answers) || answers.some(({ heads }) => (heads.get(admin)?.seq ?? 0) > known)
}
