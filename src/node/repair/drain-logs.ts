/**
 * Which logs count on a server that is being emptied. Its config names the servers of a log, and only the
 * log's admin changes it: a copy anywhere else would be asked by nobody. So nothing can be handed on here,
 * and it is said whose owner has to move which.
 */
import { equalBytes } from '../../base/bytes.ts'
import { isGridError } from '../../base/errors.ts'
import { quorumOf } from '../../log/log-config.ts'
import { keptConfigs } from '../../storage/kept-config.ts'
import type { LogId, LogStore } from '../../storage/log-store.ts'

/** A log that counts on the server. */
export interface BoundLog {
  logId: LogId
  /** Servers of its config, and how many of them have to answer; of two in force the tighter. */
  servers: number
  quorum: number
}

export interface DrainedLogs {
  /** Logs that lie here, also those that were moved away. */
  logs: number
  bound: BoundLog[]
  /** Of which it cannot be told, since they cannot be read. */
  unreadable: LogId[]
}

/**
 * @param store - what the server keeps, open
 * @param ownKey - the server's, 32 bytes
 */
export async function logsBoundTo(
  store: LogStore,
  ownKey: Uint8Array,
  options: { signal?: AbortSignal } = {},
): Promise<DrainedLogs> {
  const report: DrainedLogs = { logs: 0, bound: [], unreadable: [] }
  for await (const logId of store.names()) {
    options.signal?.throwIfAborted()
    try {
      const stored = await store.log(logId)
      // a directory without a genesis: a log that was never begun
      if (stored === undefined) continue
      report.logs++
      const configs = await keptConfigs(logId, stored)
      const own = configs.filter(({ servers }) => servers.some((key) => equalBytes(key, ownKey)))
      const sizes = own.map(({ servers }) => servers.length)
      if (sizes.length === 0) continue
      const servers = Math.min(...sizes)
      report.bound.push({ logId, servers, quorum: quorumOf(servers) })
    } catch (error) {
      if (!isGridError(error)) throw error
      report.unreadable.push(logId)
    }
  }
  return report
}
