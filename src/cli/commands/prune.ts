import { GridError } from '../../base/errors.ts'
import { backupLogName } from '../snapshot-source.ts'
import { capOptions, type CapSource, readOnlyCap } from '../cap-argument.ts'
import { command, type Command, type Context } from '../command.ts'
import { keyringOf } from '../home-config.ts'
import { openHomeGrid } from '../home-grid.ts'
import { flag, text, value } from '../option.ts'
import { policyOf, pruneOptions } from '../prune-options.ts'
import { type PruneCap, runPrune, undoPrunes } from '../prune-run.ts'

export const prune: Command = command({
  arguments: [{ name: 'CAP', summary: 'the LOG-Prune or LOG-Admin cap', optional: true }],
  options: {
    ...capOptions,
    log: text('--log <NAME>', 'take the admin cap of this backup log of the home'),
    ...pruneOptions,
    dryRun: flag('-n, --dry-run', 'say what would be kept and why, and change nothing'),
    yes: flag('--yes', 'go on though much would be given up'),
    undo: value(
      '--undo <N>',
      'take back what the last N prunes released',
      'a number from 1',
      (given) => (/^[1-9][0-9]{0,3}$/.test(given) ? Number(given) : undefined),
    ),
  },
  examples: [
    ['grid prune --keep-weekly 8 --keep-monthly 24 --dry-run', 'see what would be dropped'],
    ['grid prune --cap-file prune.cap', 'drop it, with a key that reads nothing'],
    ['grid prune --undo 1', 'take the last prune back, while servers still have it all'],
  ],
  async run(context, call) {
    const { options } = call
    const cap = await pruneCap(context, call)
    const policy = policyOf(options)
    if (cap.type === 'LOG-Prune' && (policy.tags ?? []).length > 0)
      throw new GridError('E_CAP_WEAK', 'a LOG-Prune cap reads no tags', {
        hint: 'give the admin cap, or leave --keep-tag out',
      })
    const grid = await openHomeGrid(context)
    try {
      if (options.undo !== undefined) return await undoPrunes(context, grid, cap, options.undo)
      const { dryRun, yes } = options
      return await runPrune(context, grid, cap, { policy, dryRun, yes })
    } finally {
      await grid.close()
    }
  },
})

async function pruneCap(
  context: Context,
  call: CapSource & { options: { log: string | undefined } },
): Promise<PruneCap> {
  const { positionals, options } = call
  const { log, capFile, capStdin } = options
  const isGiven = positionals.length > 0 || capFile !== undefined || capStdin
  if (isGiven && log !== undefined) throw new GridError('E_USAGE', 'give --log or a cap, not both')
  if (isGiven) return releasing(await readOnlyCap(call, context))
  const name = await backupLogName(context, log)
  const admin = (await keyringOf(context).find(name))?.admin
  if (admin !== undefined) return admin
  throw new GridError('E_CAP_WEAK', `what may prune backup log ${name} is not here`, {
    hint: 'give the LOG-Prune or LOG-Admin cap: --cap-stdin, or --cap-file FILE',
    facts: { needed: 'LOG-Prune' },
  })
}

function releasing(cap: Awaited<ReturnType<typeof readOnlyCap>>): PruneCap {
  if (cap.type === 'LOG-Prune' || cap.type === 'LOG-Admin') return cap
  throw new GridError('E_CAP_WEAK', `a ${cap.type} cap releases nothing`, {
    hint: 'have a LOG-Prune cap made: grid log grant --prune',
    facts: { needed: 'LOG-Prune' },
  })
}
