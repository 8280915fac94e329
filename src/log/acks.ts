/** What an entry says of other chains. */
import { compareBytes } from '../base/bytes.ts'
import { type Ack, ackKeyBytes, maxAcks } from './entry.ts'
import type { ChainHead } from './log-peer.ts'

/** The heads of other chains than `author`'s, as they were read last; at most 64, ascending. */
export function acksFor(author: Uint8Array, heads: readonly ChainHead[]): Ack[] {
  const others = heads.filter((head) => compareBytes(head.author, author) !== 0)
  const acks = others.map(({ author, seq, id }) => {
    return { authorPrefix: author.slice(0, ackKeyBytes), seq, id }
  })
  acks.sort((a, b) => compareBytes(a.authorPrefix, b.authorPrefix))
  const isFirst = (ack: Ack, i: number): boolean =>
    i === 0 || compareBytes(acks[i - 1].authorPrefix, ack.authorPrefix) !== 0
  const own = author.subarray(0, ackKeyBytes)
  return acks
    .filter(isFirst)
    .filter(({ authorPrefix }) => compareBytes(authorPrefix, own) !== 0)
    .slice(0, maxAcks)
}
