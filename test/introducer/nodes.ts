/** Nodes that announce themselves, for tests. */
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import {
  type Announcement,
  type NodeFacts,
  type Statement,
  signAnnouncement,
} from '../../src/introducer/announcement.ts'

export const gridName = 'main'
/** A moment for tests without a clock. */
export const startMs = 1_704_067_200_000
export const dayMs: number = 24 * 3600 * 1000

export const facts: NodeFacts = {
  nickname: 'attic',
  failureDomain: 'home',
  freeBytes: 2 ** 40,
  readOnly: false,
  quarantineDays: 30,
  suites: [1],
  software: 'grid 0.1.0',
}

export function seedOf(name: string): Uint8Array {
  return sha256(utf8(name))
}

/** An announcement of the node called `name`, valid for a day from `startMs`. */
export function announcementOf(name: string, changed: Partial<Statement> = {}): Announcement {
  const statement: Statement = {
    gridName,
    addresses: ['/ip4/203.0.113.7/tcp/7780'],
    seq: 1,
    expiresAtMs: startMs + dayMs,
    facts,
    ...changed,
  }
  return signAnnouncement(statement, seedOf(name))
}
