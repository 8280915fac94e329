import type { TrialFailure } from '../../backup/restore/restore-trial.ts'
import { tryRestore } from '../../backup/restore/restore-trial.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { CapOf } from '../../caps/cap.ts'
import { escapedName } from '../../local/escaped-name.ts'
import type { Grid } from '../../node/grid.ts'
import { directoryOfCap } from '../../tree/directory-cap.ts'
import {
  backupLogName,
  backupLogOptions,
  backupReadCap,
  readSnapshots,
} from '../snapshot-source.ts'
import { readCapLines } from '../cap-argument.ts'
import { command, type Command, type Context } from '../command.ts'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.ts'
import { keyringOf } from '../home-config.ts'
import { openHomeGrid } from '../home-grid.ts'
import { text, value } from '../option.ts'
import { filterOf, filterOptions } from '../snapshot-options.ts'

type Sample = { percent: number } | { files: number }

const usualSample: Sample = { percent: 1 }

export const restoreTest: Command = command({
  arguments: [{ name: 'SNAP', summary: 'a snapshot; the newest unless given', optional: true }],
  options: {
    sample: value(
      '--sample <N>',
      'how many files to read, or a part of all such as 5%; 1% unless given',
      'a number of files, or a part like 5%',
      parseSample,
    ),
    adminCapFile: text('--admin-cap-file <FILE>', 'read the LOG-Admin cap, which records the test'),
    ...backupLogOptions,
    ...filterOptions,
  },
  examples: [
    ['grid restore-test', 'read all directories and some files of the newest backup'],
    ['grid restore-test a2b3c4d5e6 --sample 100%', 'read everything'],
  ],
  async run(context, { positionals: [name = 'latest'], options }) {
    const { output, signal, world, progress } = context
    const cap = await backupReadCap(context, options)
    const admin = await adminCap(context, options)
    const grid = await openHomeGrid(context)
    const task = progress.start('testing', undefined)
    try {
      const snapshots = await readSnapshots(context, grid, cap)
      const { snapshot, shortId, id } = await snapshots.find(name, filterOf(options), { signal })
      const sample = sampleOf(options.sample ?? usualSample, snapshot.totals.files)
      const { count, failures } = await tryRestore(grid.trees, directoryOfCap(snapshot.cap), {
        ...{ random: world.random, sample, signal },
        onProgress: ({ bytes, files, directories }) => {
          task.advance(bytes, `${directories} directories, ${files} files`)
        },
      })
      task.end()
      for (const { path, error } of failures)
        await output.warning(`${escapedName(path) || '.'}: ${error.message}`, { code: error.code })
      const { directories, seen, files, bytes } = count
      const said = `${shortId}: read ${directories} directories and ${files} of ${seen} files, ${formatByteSize(bytes)}`
      const summary = { snapshot: shortId, ...count, failures: failures.length }
      if (failures.length > 0) {
        const text = `${said}; ${failures.length} could not be read`
        return { summary: { ...summary, recorded: false }, text, exit: worstOf(failures) }
      }
      if (admin === undefined) {
        await output.warning(
          'the test is not recorded in the log: that takes the LOG-Admin cap (--admin-cap-file)',
        )
        const text = `${said}; all is well`
        return { summary: { ...summary, recorded: false }, text, exit: exitCodes.partlyDone }
      }
      await record(grid, admin, { id, testedMs: world.clock.nowMs() }, signal)
      return { summary: { ...summary, recorded: true }, text: `${said}; all is well, and recorded` }
    } finally {
      task.end()
      await grid.close()
    }
  },
})

function parseSample(given: string): Sample | undefined {
  const [, digits = '', isPart] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(given) ?? []
  const number = Number(digits)
  if (digits === '') return undefined
  if (isPart === '%') return number <= 100 ? { percent: number } : undefined
  return Number.isInteger(number) ? { files: number } : undefined
}

function sampleOf(sample: Sample, files: number): number {
  return 'files' in sample ? sample.files : Math.ceil((files * sample.percent) / 100)
}

/** Undefined where there is none at hand: the test is worth something all the same. */
async function adminCap(
  context: Context,
  { log, adminCapFile, readCapFile }: { log?: string; adminCapFile?: string; readCapFile?: string },
): Promise<CapOf<'LOG-Admin'> | undefined> {
  if (adminCapFile !== undefined) {
    const [cap] = await readCapLines({ capFile: adminCapFile, capStdin: false }, context)
    if (cap === undefined) throw new GridError('E_USAGE', `${adminCapFile} holds no cap`)
    return attenuate(cap, 'LOG-Admin')
  }
  if (readCapFile !== undefined) return undefined
  return (await keyringOf(context).find(await backupLogName(context, log)))?.admin
}

async function record(
  grid: Grid,
  cap: CapOf<'LOG-Admin'>,
  tested: { id: Uint8Array; testedMs: number },
  signal: AbortSignal,
): Promise<void> {
  const admin = await grid.logs.admin(cap, { signal })
  const { outcome, receipts, servers } = await admin.checkpoint([tested], { signal })
  if (outcome === 'committed') return
  throw new GridError(
    'E_NOT_DURABLE',
    `all is well, but the record of it is on ${receipts.length} of ${servers.length} log servers, fewer than a quorum`,
    { hint: 'see `grid status`; run the test again' },
  )
}

/** What is damaged weighs more than what is missing. */
function worstOf(failures: readonly TrialFailure[]): ExitCode {
  const exits = failures.map(({ error }) => exitCodeFor(error))
  return exits.find((exit) => exit === exitCodes.integrity) ?? exits[0]
}
