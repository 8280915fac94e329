/** What a run reached and suffered, counted by name; and the rare states that many runs must reach. */

/** A simulation that never gets here proves less than it seems to. */
export const sometimes = [
  'put: happy just met',
  'put: happy just missed',
  'put: every share placed',
  'put: survived a fault',
  'put: retried after a failure',
  'put: nothing to send',
  'get: exactly k good shares left',
  'get: fewer than k good shares left',
  'get: survived a fault',
  'get: with a liar about',
  'get: while every server was well',
  'client: died at work',
  'server: died during a put',
  'server: unfinished share removed',
  'server: lost what was not synced',
  'server: refused a share for want of space',
  'server: became read-only',
  'server: started after a failure',
  'disk: ENOSPC at sync',
  'disk: EIO at sync',
  'disk: EIO at syncDirectory',
  'disk: ENOSPC at write',
  'disk: EMFILE at openRead',
  'disk: EIO at read',
  'net: cut',
  'net: flip',
] as const

/** The same of runs of logs. */
export const sometimesOfLogs = [
  'append: committed while a server was unwell',
  'append: not durable',
  'append: not durable, and committed later',
  'append: late receipts',
  'append: handed on late',
  'append: over the rate',
  'append: revoked',
  'append: a fork came to be known',
  'append: too few servers to know the head',
  'append: with a liar about',
  'admin: moved the log',
  'admin: moved the log with a server unwell',
  'admin: a move was cut short',
  'admin: revoked a device',
  'read: FRESH',
  'read: FRESH with a liar about',
  'read: STALE-POSSIBLE',
  'read: FORKED',
  'read: FORKED by evidence that a server kept',
  'read: TRUNCATED by pin',
  'read: TRUNCATED by ack',
  'read: TRUNCATED by receipt',
  'read: TRUNCATED by checkpoint',
  'read: failed',
  'reader: two agreed on the same answers',
  'attack: refused',
  'machine: died at work',
  'server: lost what was not synced',
  'disk: EIO at sync',
  'net: cut',
  'net: flip',
] as const

/** The same of backups. */
export const sometimesOfBackups = [
  'backup: partial snapshot',
  'backup: kept what a walk did not come to',
  'backup: a file changed in a walk',
  'backup: a file changed while it was read',
  'backup: with a liar about',
  'backup: survived a fault',
  'backup: not durable',
  'backup: too few servers',
  'backup: a snapshot out of reach',
  'backup: the disk of the machine failed',
  'machine: died at work',
  'server: died during a put',
  'server: lost what was not synced',
  'net: cut',
] as const

/** The same of keeping. */
export const sometimesOfKeeping = [
  'backup: touched again before its commit',
  'device: died at work',
  'prune: died at work',
  'prune: taken back',
  'prune: a clock was left out',
  'prune: a server got what it had missed',
  'release: a touch saved what was let go of',
  'lease: given',
  'check: with a server silent',
  'repair: mended',
  'sweep: put off since the clock jumped',
  'attack: a release was refused',
  'journal: put into one',
] as const

export type Rare =
  | (typeof sometimes)[number]
  | (typeof sometimesOfLogs)[number]
  | (typeof sometimesOfBackups)[number]
  | (typeof sometimesOfKeeping)[number]

export class Tally {
  readonly counts: Map<string, number> = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }

  /** As `add`, for a state that the list names. */
  reached(state: Rare): void {
    this.add(state)
  }

  merge(counts: Iterable<readonly [string, number]>): void {
    for (const [name, count] of counts) this.add(name, count)
  }
}
