/** `grid backup`, from its arguments to its summary. */
import { GridError, isGridError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { type BackupReport, runBackup } from '../backup/backup.ts'
import { type BackupCount, filesIn } from '../backup/backup-count.ts'
import { Scan } from '../backup/scan.ts'
import type { Grid } from '../node/grid.ts'
import type { CapOf } from '../caps/cap.ts'
import { appendCapOf } from './append-cap.ts'
import type { BackupChoice } from './backup-choice.ts'
import { backUpStdin } from './backup-stdin.ts'
import { openRunMemory } from './backup-memory.ts'
import { tell } from './backup-summary.ts'
import { dryRunCommand } from './backup-dry-run.ts'
import { watched } from './backup-watch.ts'
import type { Context, Outcome } from './command.ts'
import { sweepOwnFolders } from './folder-sweep.ts'
import { openHomeGrid } from './home-grid.ts'
import { shortId } from './log-cap.ts'
import { NoticeLines } from './notice-lines.ts'
import { chooseSource, type ChosenSource } from './source-options.ts'

export async function runBackupCommand(
  context: Context,
  positionals: readonly string[],
  choice: BackupChoice,
): Promise<Outcome> {
  if (positionals.includes('-')) return backUpStdin(context, positionals, choice)
  const source = await chooseSource(context, positionals, choice)
  if (choice.dryRun) return dryRunCommand(context, source, choice)
  const grid = await openHomeGrid(context)
  try {
    const append = await appendCapOf(context, grid, choice)
    const once = async (): Promise<Outcome> => {
      const startMs = context.world.clock.monotonicMs()
      const report = await backUp(context, grid, append, source, choice).catch(tellFull)
      for (const note of grid.placementNotes) await context.output.warning(note)
      const elapsedMs = Math.round(context.world.clock.monotonicMs() - startMs)
      const outcome = await tell(context, report, elapsedMs, choice)
      await sweepOwnFolders(context, grid, { seldom: true })
      return outcome
    }
    return choice.watch ? await watched(context, source.paths, once) : await once()
  } finally {
    await grid.close()
  }
}

/** A full disk is a full disk, whether it is files or the log that have no room. */
function tellFull(error: unknown): never {
  if (!isGridError(error, 'E_NOT_DURABLE') || error.facts.isFull !== true) throw error
  const { message, hint, facts } = error
  throw new GridError('E_FULL', message, {
    ...(hint !== undefined && { hint }),
    facts,
    cause: error,
  })
}

async function backUp(
  context: Context,
  grid: Grid,
  append: CapOf<'LOG-Append'>,
  source: ChosenSource,
  choice: BackupChoice,
): Promise<BackupReport> {
  const { output, signal, world, progress } = context
  const { clock } = world
  const { root, shown } = source.paths
  const notices = new NoticeLines()
  const task = progress.start('backing up', undefined)
  const startMs = clock.monotonicMs()
  let scan: Scan | undefined
  const isWatched = world.stderr.isTerminal || output.json
  const patienceMs = isWatched ? scanAfterMs : scanUnseenAfterMs
  const onProgress = (count: BackupCount): void => {
    if (clock.monotonicMs() - startMs > patienceMs) {
      scan ??= new Scan(
        source.open(() => undefined),
        clock,
      )
      scan.advance(scanMs)
    }
    if (scan?.total !== undefined) task.expect(scan.total.bytes)
    task.advance(count.doneBytes, `${filesIn(count).toLocaleString('en')} files`)
    void notices.tell(output)
  }
  try {
    return await runBackup(
      {
        ...{ grid, clock, random: world.random, report: notices.report, source: source.open },
        openMemory: ({ forget }) =>
          openRunMemory(context, append, source.paths, {
            describedBy: source.describedBy,
            forget,
          }),
      },
      {
        append,
        signal,
        facts: { ...choice.facts, root, paths: shown.slice(0, 64), tool: `grid ${version}` },
        checkpointMs: choice.checkpointMs,
        ...(choice.uploadBytesPerSecond !== undefined && {
          uploadBytesPerSecond: choice.uploadBytesPerSecond,
        }),
        onProgress,
        onCheckpoint: ({ id }) => output.note(`partial snapshot ${shortId(id)} is stored`),
      },
    )
  } finally {
    task.end()
    scan?.end()
    await notices.tellRest(output)
  }
}

/** A run that is over by then needs no end foretold; where lines are written to no terminal, later. */
const scanAfterMs = 1000
const scanUnseenAfterMs = 15_000
/** What a look ahead may take each time that progress is told. */
const scanMs = 4
