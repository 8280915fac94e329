/** Hands a release that is in the log to servers (docs/specs/prune.md, "Push"). */
import { isGridError } from '../../base/errors.ts'
import type { LogEntry } from '../../log/entry.ts'
import { type PeerVerdict, verdictOf } from '../../node/peers/candidate.ts'
import type { LogAccount } from '../../node/logs/log-account.ts'

export interface Pushed {
  /** Holds that ended or came back, and that stay since they were touched; over all servers. */
  changed: number
  kept: number
  /** Servers that did not take it, and why. */
  silent: readonly PeerVerdict[]
}

export async function pushRelease(
  account: LogAccount,
  entry: LogEntry,
  servers: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<Pushed> {
  const pushed = { changed: 0, kept: 0 }
  const silent: PeerVerdict[] = []
  const push = async (server: string): Promise<void> => {
    try {
      const { changed, kept } = await account.release(server, entry, options)
      pushed.changed += changed
      pushed.kept += kept
    } catch (error) {
      if (options.signal?.aborted || !isGridError(error)) throw error
      silent.push(verdictOf(server, error))
    }
  }
  await Promise.all(servers.map(push))
  return { ...pushed, silent }
}
