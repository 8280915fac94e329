import { toBase32 } from '../../base/base32.ts'
import { equalBytes, fromHex } from '../../base/bytes.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { peerIdOf, publicKeyOf } from '../../base/peer-id.ts'
import { environmentOverrides, parseConfig } from '../../node/home/config.ts'
import { openHome, readConfig } from '../../node/home/home.ts'
import { parseMembers } from '../../node/running/control-messages.ts'
import type { PurgeReport } from '../../storage/holds/purge.ts'
import { isAccount } from '../../storage/holds/held-object.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command, type Context } from '../command.ts'
import { flag } from '../option.ts'
import { openOwnPlace } from '../own-place.ts'
import { amountText } from '../sweep-lines.ts'
import { isoText, momentText } from '../time-text.ts'

export const nodePurge: Command = command({
  arguments: [
    { name: 'MEMBER', summary: 'its peer id, or on the home that made it a member its name' },
  ],
  options: {
    dryRun: flag('-n, --dry-run', 'say what would be let go, and change nothing'),
    yes: flag('--yes', 'do not ask'),
  },
  examples: [
    ['grid node purge attic --dry-run', 'see what a former member still keeps here'],
    [
      'grid node purge 12D3KooW…',
      'let it go: 90 days after its end, and with 30 more to take it back',
    ],
  ],
  async run(context, { positionals: [which = ''], options: { dryRun, yes } }) {
    const { home, world, output } = context
    const secrets = await openHome(home)
    const config = parseConfig(await readConfig(home), environmentOverrides(world.env), home.path)
    const publicKey = publicKeyOf(which) ?? (await keyOfName(context, which))
    const place = await openOwnPlace(context, config, secrets)
    if (place === undefined) throw new GridError('E_USAGE', 'this home keeps no shares')
    try {
      const look = await place.purge({ publicKey, dryRun: true })
      for (const row of look.holders)
        await output.item(
          {
            kind: kindOf(row.holder),
            id: idOf(row.holder),
            objects: row.objects,
            bytes: row.bytes,
          },
          `${kindOf(row.holder)} ${idOf(row.holder)}  ${row.objects} objects  ${formatByteSize(row.bytes)}`,
        )
      const isMore = look.paid.objects > 0 && !dryRun
      if (isMore && !yes) await ask(context, look)
      const report = isMore ? await place.purge({ publicKey, dryRun: false }) : look
      return outcomeOf(peerIdOf(publicKey), report, dryRun)
    } finally {
      await place.close()
    }
  },
})

function outcomeOf(
  peerId: string,
  { endedMs, paid, unheld, endedHolds, holderCount }: PurgeReport,
  dryRun: boolean,
): Awaited<ReturnType<Command['run']>> {
  const ended = isoText(endedMs)
  const what = `${amountText(paid)} of ${holderCount} holders`
  const rest = `${amountText(unheld)} nobody else holds`
  return {
    summary: { peerId, ended, dryRun, paid, unheld, holderCount, endedHolds },
    text: dryRun
      ? `it pays for ${what}, of which ${rest}`
      : `${endedHolds} holds were ended; ${rest}: they are in quarantine now, and any touch takes them back`,
  }
}

async function ask({ world, signal }: Context, look: PurgeReport): Promise<void> {
  if (world.ask === undefined)
    throw new GridError('E_USAGE', 'there is nobody to ask whether that may go', {
      hint: 'see what it is with --dry-run; if it may go, give --yes',
    })
  const question = `That member's time was over on ${momentText(look.endedMs)}. Let go of ${amountText(look.paid)} that it pays for? (yes/no) `
  const answer = await world.ask(question, { signal })
  if (answer.trim().toLowerCase() === 'yes') return
  throw new GridError('E_USAGE', 'not agreed: nothing was changed')
}

/** By the book of the home that makes members. */
async function keyOfName(context: Context, which: string): Promise<Uint8Array> {
  const hint = 'give the peer id, as grid members shows it'
  const known = await askHomeNode(context, 'members', []).catch((error: unknown) => {
    context.signal.throwIfAborted()
    if (!isGridError(error)) throw error
    throw new GridError('E_USAGE', `${which} is no peer id, and no book of members can be asked`, {
      hint,
      cause: error,
    })
  })
  const found = parseMembers(known).filter(
    ({ name, serial }) => name === which || String(serial) === which,
  )
  const [member, ...more] = found
  if (member === undefined) throw new GridError('E_ABSENT', `there is no member ${which}`, { hint })
  if (more.every(({ publicKey }) => equalBytes(publicKey, member.publicKey)))
    return member.publicKey
  throw new GridError('E_USAGE', `several members are called ${which}`, { hint })
}

function kindOf(holder: string): string {
  return isAccount(holder) ? 'account' : 'client'
}

/** Of an account its log id; of a client its peer id, if it has such a key. */
function idOf(holder: string): string {
  const id = fromHex(holder).subarray(1)
  return isAccount(holder) ? toBase32(id) : peerIdOf(id)
}
