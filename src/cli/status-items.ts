/** What `grid status` says besides its servers: this home's own node and its backups. What ends is in status-ends.ts. */
import { formatByteSize } from '../base/byte-size.ts'
import { errorText, isGridError } from '../base/errors.ts'
import { keyringOf, readHomeConfig } from './home-config.ts'
import type { Grid } from '../node/grid.ts'
import type { SweepReport } from '../storage/holds/sweeper.ts'
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
      const waits = consentOf(view.sweep)
      if (waits !== undefined) words.push(waits.text)
      const { diskBytes = null, damagedCount = null } = kept ?? {}
      const scrub = view.scrub === undefined ? null : scrubFacts(view.scrub)
      const facts = { about: 'node', state: 'ok', upMs: view.upMs, diskBytes, damagedCount, scrub }
      return { text: words.join(', '), facts: { ...facts, ...waits?.facts } }
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

/** A sweep that waits for the operator. */
function consentOf(sweep: SweepReport | undefined): StatusItem | undefined {
  if (sweep?.refusal !== 'consent') return undefined
  const next = 'grid node sweep --consent'
  const cause = `${sweep.due.shares} shares that nobody holds wait to be deleted`
  return { text: `${cause}; try: ${next}`, facts: { cause, next } }
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
