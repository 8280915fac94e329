/** Events of a node, as the terminal and JSON show them. */
import { plainText } from '../base/plain-text.ts'
import { scrub } from '../caps/scrub.ts'
import type { NodeEvent } from '../node/running/node-event.ts'
import type { Facts } from './output.ts'
import { isoText, momentText } from './time-text.ts'

/** `2026-01-02 03:04:05Z  share.damaged  share=id7e….9`. */
export function eventLine({ atMs, name, facts }: NodeEvent): string {
  const words = Object.entries(facts).map(([key, value]) => `${key}=${String(value)}`)
  return plainText(scrub([momentText(atMs), name, ...words].join('  ')), 400)
}

export function eventFacts({ seq, atMs, name, facts }: NodeEvent): Facts {
  return { seq, time: isoText(atMs), event: name, facts }
}
