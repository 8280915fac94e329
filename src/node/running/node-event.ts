/** What happened at a node that its operator should know of: one line each, fit for a terminal. */
import { plainText } from '../../base/plain-text.ts'
import { scrub } from '../../caps/scrub.ts'

export interface NodeEvent {
  /** Ascending, also over restarts. */
  seq: number
  /** Wall time. */
  atMs: number
  /** Such as `share.damaged`. */
  name: string
  facts: Readonly<Record<string, string | number | boolean>>
}

/** First words of the names of what is kept; the rest of a trace is for whoever looks for a mistake. */
const kept: ReadonlySet<string> = new Set([
  ...['node', 'peer', 'put', 'share', 'scrub', 'release', 'sweep', 'quarantine', 'repair', 'drain'],
  ...['account', 'member', 'lease', 'clock', 'events'],
])
const keptWhole: ReadonlySet<string> = new Set([
  ...['storage.read-only', 'introducer.lost', 'introducer.refused', 'introducer.list-shrank'],
])
const maxFacts = 8
const maxTextChars = 200

/** Whether an event of this name is for the operator. */
export function isKept(name: string): boolean {
  return kept.has(name.split('.')[0]) || keptWhole.has(name)
}

/** Facts without caps, keys and controls, and bounded; what is neither text, number nor yes or no is left out. */
export function plainFacts(facts: Readonly<Record<string, unknown>>): NodeEvent['facts'] {
  const plain: Record<string, string | number | boolean> = {}
  for (const [key, value] of Object.entries(facts).slice(0, maxFacts)) {
    const name = plainText(key, 40)
    if (typeof value === 'string') plain[name] = plainText(scrub(value), maxTextChars)
    if (typeof value === 'boolean') plain[name] = value
    if (typeof value === 'number' && Number.isFinite(value)) plain[name] = value
  }
  return plain
}

/** One line of JSON. */
export function formatEvent(event: NodeEvent): string {
  return JSON.stringify([1, event.seq, event.atMs, event.name, event.facts])
}

/** The inverse; undefined for every other line, such as one that a crash has cut. */
export function parseEvent(line: string): NodeEvent | undefined {
  try {
    const [version, seq, atMs, name, facts] = JSON.parse(line) as unknown[]
    const isSound =
      version === 1 &&
      Number.isSafeInteger(seq) &&
      typeof atMs === 'number' &&
      typeof name === 'string'
    if (!isSound || typeof facts !== 'object' || facts === null) return undefined
    return {
      ...{ seq: seq as number, atMs, name: plainText(name, 60) },
      facts: plainFacts(facts as Record<string, unknown>),
    }
  } catch {
    return undefined
  }
}
