/** What a server takes of logs, beyond the rules of each log itself (docs/specs/log-store.md, "Limits"). */

export interface LogLimits {
  /** Logs kept; E_FULL beyond. */
  maxLogs: number
  /** Logs begun in an hour, E_RATE beyond; up to half of them at once. */
  newLogsPerHour: number
  /** Bytes of the entries of one log; E_FULL beyond, and for all but the admin beyond 7/8. */
  maxLogBytes: number
  /** Entries of one log; E_FULL as with bytes. */
  maxLogEntries: number
  /** Appends, and reads, that wait or are carried out; E_BUSY beyond. */
  maxRequests: number
  /** Signatures checked each second; E_RATE beyond. */
  checksPerSecond: number
  /** Logs that are known by heart, and entries of them: what was not used for longest is forgotten. */
  logsInMemory: number
  entriesInMemory: number
}

export const defaultLogLimits: LogLimits = {
  maxLogs: 10_000,
  newLogsPerHour: 240,
  maxLogBytes: 2 ** 30,
  maxLogEntries: 100_000,
  maxRequests: 256,
  checksPerSecond: 4000,
  logsInMemory: 1000,
  entriesInMemory: 100_000,
}

/** Signatures checked for one append, about: a request is answered in part beyond that. */
export const maxChecksPerAppend = 256
/** Pieces of evidence kept of one log, and so in one answer. */
export const maxForksInAll = 64
