/** Which servers a log that is kept here counts on (docs/specs/log.md, "Servers and quorums"). */
import { GridError, isGridError } from '../base/errors.ts'
import { readHeader } from '../log/entry.ts'
import { readGenesis } from '../log/genesis.ts'
import { type LogConfig, readConfigBody } from '../log/log-config.ts'
import { parseEntryHead } from './entry-head.ts'
import type { LogId, StoredLog } from './log-store.ts'

/** No config is longer. */
const maxConfigBytes = 2048

/**
 * The configs in force, as far as this server has heard: the newest, and the one before it while it is not
 * settled by an entry of the admin behind it. Whoever stored them has checked them.
 *
 * @throws E_IO where the genesis or an entry is not what was stored
 */
export async function keptConfigs(logId: LogId, stored: StoredLog): Promise<LogConfig[]> {
  const { adminKey, config: first } = genesisOf(logId, stored)
  let before: LogConfig | undefined
  let newest = first
  let newestSeq = 0
  const chain = stored.chain(adminKey)
  for (const entry of chain) {
    if (entry.bodyBytes === undefined || entry.bodyBytes > maxConfigBytes) continue
    const { head, body } = await stored.read(entry, true)
    if (body === undefined || readHeader(parseEntryHead(head)).fields.kind !== 'config') continue
    before = newest
    newest = readConfigBody(body)
    newestSeq = entry.seq
  }
  const isSettled = before === undefined || chain.length > newestSeq
  return isSettled || before === undefined ? [newest] : [before, newest]
}

function genesisOf(logId: LogId, stored: StoredLog): ReturnType<typeof readGenesis> {
  try {
    return readGenesis(stored.genesis, logId)
  } catch (error) {
    if (isGridError(error)) throw new GridError('E_IO', 'a genesis is damaged', { cause: error })
    throw error
  }
}
