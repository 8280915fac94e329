/** What `grid status` says besides its servers: this home's own node, its backups, and what ends. */
import { formatByteSize } from '../base/byte-size.ts'
import { errorText, isGridError } from '../base/errors.ts'
import { keyringOf, readHomeConfig } from './home-config.ts'
import { openMembership, readOwnCertificate } from '../node/home/grid-membership.ts'
import type { Grid } from '../node/grid.ts'
import { readMemberCertificate } from '../members/member-certificate.ts'
import type { Context } from './command.ts'
import type { Facts } from './output.ts'
import { openOwnNode } from './own-node.ts'
import { isoText, spanText } from './time-text.ts'
import { scrubFacts, scrubText } from './view-text.ts'

/** One thing that is said: its line and its facts. */
export interface StatusItem {
  text: string
  facts: Facts
}

const dayMs = 86_400_000

/** How the node of this home is; undefined where it should keep no shares and does not run. */
export async function nodeItem(context: Context): Promise<StatusItem | undefined> {
  const { storage } = await readHomeConfig(context)
  try {
    const node = await openOwnNode(context)
    try {
      const view = await node.view()
      const words = [`this node: up ${spanText(view.upMs)}`]
      const kept = view.storage
      if (kept === undefined) words.push('keeps no shares')
      else {
        words.push(`${kept.shareCount} shares`, `${formatByteSize(kept.diskBytes)} on disk`)
        words.push(`${kept.damagedCount} damaged`)
      }
      if (view.scrub !== undefined) words.push(scrubText(view.scrub))
      const { diskBytes = null, damagedCount = null } = kept ?? {}
      const scrub = view.scrub === undefined ? null : scrubFacts(view.scrub)
      const facts = { about: 'node', state: 'ok', upMs: view.upMs, diskBytes, damagedCount, scrub }
      return { text: words.join(', '), facts }
    } finally {
      node.close()
    }
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE', 'E_CLOSED', 'E_TIMEOUT')) throw error
    if (!storage.enabled) return undefined
    const next = 'grid node run'
    const cause = 'it does not run'
    return {
      text: `this node: ${cause}, though it keeps shares; try: ${next}`,
      facts: { about: 'node', state: 'degraded', cause, next },
    }
  }
}

/** For each backup log that this home may read: when a restore of it was tested last. */
export async function backupItems(context: Context, grid: Grid): Promise<StatusItem[]> {
  const keyring = keyringOf(context)
  const items: StatusItem[] = []
  for (const name of await keyring.names()) {
    const read = (await keyring.find(name))?.read
    items.push(
      read === undefined
        ? unknownTest(name, 'this home may not read it')
        : await grid.logs
            .reader(read)
            .read({ signal: context.signal })
            .then(({ rules }) => {
              const tested = rules.checkpoints.flatMap(({ tested }) => tested)
              return testItem(context, name, Math.max(0, ...tested.map(({ testedMs }) => testedMs)))
            })
            .catch((error: unknown) => {
              context.signal.throwIfAborted()
              return unknownTest(name, errorText(error))
            }),
    )
  }
  return items
}

/** What ends by itself, as far as this home knows, the next first. */
export async function endItems(context: Context): Promise<StatusItem[]> {
  const { home, world, trace } = context
  const config = await readHomeConfig(context)
  const { key } = config.grid
  if (config.grid.membership !== 'signed' || key === undefined) return []
  const bytes = await readOwnCertificate(home, world.disk)
  if (bytes === undefined) {
    const cause = 'this home has no certificate of the grid'
    return [
      {
        text: `member: ${cause}`,
        facts: { about: 'end', what: 'member', state: 'never worked', cause },
      },
    ]
  }
  const { notAfterMs, serial } = readMemberCertificate(bytes, key)
  const days = Math.floor((notAfterMs - world.clock.nowMs()) / dayMs)
  const ends = { about: 'end', what: 'member', ends: isoText(notAfterMs), days }
  const { revocations } = await openMembership({ ...world, home, config, trace })
  const isRevoked = revocations?.isRevoked(serial) === true
  if (!isRevoked && days >= 0) {
    const text = `member: the certificate of this home ends in ${days} days`
    return [{ text, facts: { ...ends, state: 'ok' } }]
  }
  const cause = isRevoked
    ? "the membership of this home was revoked by the grid's owner"
    : `the certificate of this home ended ${-days} days ago`
  const next = 'ask for another invitation, then: grid join --replace'
  return [{ text: `member: ${cause}; ${next}`, facts: { ...ends, state: 'degraded', cause, next } }]
}

function testItem({ world }: Context, name: string, testedMs: number): StatusItem {
  if (testedMs === 0) {
    const next = `grid restore-test --log ${name}`
    return {
      text: `backup ${name}: a restore was never tested; try: ${next}`,
      facts: { about: 'backup', log: name, state: 'never worked', restoreTest: null, next },
    }
  }
  const ageMs = Math.max(0, world.clock.nowMs() - testedMs)
  return {
    text: `backup ${name}: a restore was tested ${spanText(ageMs)} ago`,
    facts: { about: 'backup', log: name, state: 'ok', restoreTest: isoText(testedMs), ageMs },
  }
}

function unknownTest(name: string, cause: string): StatusItem {
  return {
    text: `backup ${name}: not known when a restore was tested: ${cause}`,
    facts: { about: 'backup', log: name, state: 'unknown', cause },
  }
}
