/** `grid backup`, from its arguments to its summary. */
import { formatByteSize } from '../base/byte-size.ts'
import { attenuate } from '../caps/attenuate.ts'
import { version } from '../base/version.ts'
import { type BackupReport, runBackup } from '../backup/backup.ts'
import { type BackupCount, filesIn } from '../backup/backup-count.ts'
import { Scan } from '../backup/scan.ts'
import type { Grid } from '../node/grid.ts'
import type { CapOf } from '../caps/cap.ts'
import { openBackupLog } from './backup-log.ts'
import { openRunMemory } from './backup-memory.ts'
import { readOnlyCap } from './cap-argument.ts'
import type { Context, Outcome } from './command.ts'
import { formatElapsed } from './duration.ts'
import { exitCodes } from './exit-codes.ts'
import { openHomeGrid } from './home-grid.ts'
import { headText, shortId } from './log-cap.ts'
import { NoticeLines } from './notice-lines.ts'
import { chooseSource, type ChosenSource, type SourceChoice } from './source-options.ts'

export interface BackupChoice extends SourceChoice {
  log: string
  appendCapFile: string | undefined
  facts: { tags: readonly string[]; label: string; host: string }
  dryRun: boolean
  checkpointMs: number
  uploadBytesPerSecond: number | undefined
}

/** Backs up once. */
export async function runBackupCommand(
  context: Context,
  positionals: readonly string[],
  choice: BackupChoice,
): Promise<Outcome> {
  const source = await chooseSource(context, positionals, choice)
  const grid = await openHomeGrid(context)
  try {
    const append = await appendCapOf(context, grid, choice)
    const startMs = context.world.clock.monotonicMs()
    const report = await backUp(context, grid, append, source, choice)
    const elapsedMs = Math.round(context.world.clock.monotonicMs() - startMs)
    return await tell(context, report, elapsedMs)
  } finally {
    await grid.close()
  }
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
  const onProgress = (count: BackupCount): void => {
    if (clock.monotonicMs() - startMs > scanAfterMs) {
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
        ...{ grid, clock, report: notices.report, source: source.open },
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

/** A run that is over by then needs no end foretold. */
const scanAfterMs = 1000
/** What a look ahead may take each time that progress is told. */
const scanMs = 4

async function tell(
  { output }: Context,
  report: BackupReport,
  elapsedMs: number,
): Promise<Outcome> {
  const { snapshot, device, seq, totals, count, addedBytes, sentBytes, partial } = report
  const head = headText(device, seq, snapshot.id)
  const { files, others, directories, gone, readBytes, notices } = count
  output.note(`files: ${inWords(files)}; ${gone} gone`)
  output.note(
    `read ${formatByteSize(readBytes)}, added ${formatByteSize(addedBytes)}, sent ${formatByteSize(sentBytes)} of shares`,
  )
  await output.item({ snapshot: shortId(snapshot.id), head }, head)
  return {
    summary: {
      ...{ snapshot: shortId(snapshot.id), head, files, others, directories, gone, readBytes },
      ...{ addedBytes, sentBytes, totals, notices, partial, elapsedMs },
    },
    text: `snapshot ${shortId(snapshot.id)} has ${totals.files} files, ${formatByteSize(totals.bytes)}; it took ${formatElapsed(elapsedMs)}`,
    exit: partial ? exitCodes.partlyDone : exitCodes.ok,
  }
}

function inWords(counts: { new: number; changed: number; unchanged: number }): string {
  return `${counts.new} new, ${counts.changed} changed, ${counts.unchanged} unchanged`
}

async function appendCapOf(
  context: Context,
  grid: Grid,
  { log, appendCapFile }: BackupChoice,
): Promise<CapOf<'LOG-Append'>> {
  if (appendCapFile !== undefined) {
    const source = { positionals: [], options: { capFile: appendCapFile, capStdin: false } }
    return attenuate(await readOnlyCap(source, context), 'LOG-Append')
  }
  return (await openBackupLog(context, grid, log)).append
}
