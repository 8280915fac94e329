/** Whoever has stolen an append cap, and asks a server for what no command of ours would ask. */
import { randomBytes } from 'node:crypto'
import { SystemClock } from '../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import type { LogAppendCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { bodyHashOf, formatHeader, signHeader } from '../../src/log/entry.ts'
import type { HandedEntry } from '../../src/log/log-peer.ts'
import { connectStorage } from '../../src/node/peers/connect-storage.ts'
import { openLibp2pNet } from '../../src/node/net/libp2p-net.ts'
import type { Connection } from '../../src/node/peers/dialled-peer.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'

const clock = new SystemClock()

/** An entry that the cap's holder signs, in a place of his choosing. */
function forged(cap: LogAppendCap, seq: number, prev: Uint8Array): HandedEntry {
  const body = new Uint8Array(randomBytes(100))
  const header = formatHeader({
    logId: cap.logId,
    author: publicKeyOfSeed(cap.deviceSeed),
    seq,
    prev,
    skip: cap.logId,
    acks: [],
    clientMs: clock.nowMs(),
    kind: 'snapshot',
    bodyHash: bodyHashOf(body),
    bodyBytes: body.length,
  })
  return { header, signature: signHeader(header, cap.deviceSeed), body, receipts: [] }
}

/**
 * Tries at one server what an append cap must not be good for, after its chain has one entry;
 * resolves to what came of each.
 *
 * @param address - of the server, with its peer id
 */
export async function tryAll(address: string, capText: string): Promise<Record<string, string>> {
  const cap = parseCap(capText) as LogAppendCap
  const net = await openLibp2pNet({ seed: new Uint8Array(randomBytes(32)), listen: [] })
  const [addresses, id] = address.split('/p2p/')
  const channel = await net.dial({ id, addresses: [addresses] }, storageProtocol)
  const connection = await connectStorage(id, channel, { clock })
  try {
    return {
      fork: await outcomeOf(connection, cap, forged(cap, 1, cap.logId)),
      'entry after a gap': await outcomeOf(connection, cap, forged(cap, 9, cap.logId)),
      'entry linked elsewhere': await outcomeOf(connection, cap, forged(cap, 2, cap.logId)),
    }
  } finally {
    connection.close()
    await net.close()
  }
}

async function outcomeOf(
  { peer }: Connection,
  { logId }: LogAppendCap,
  entry: HandedEntry,
): Promise<string> {
  const { verdicts } = await peer.appendEntries({ logId, genesis: undefined, entries: [entry] })
  return verdicts[0].outcome
}
