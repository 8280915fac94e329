/** What a backup says in the end. */
import { formatByteSize } from '../base/byte-size.ts'
import type { BackupReport } from '../backup/backup.ts'
import type { AuditReport } from '../node/check/audit.ts'
import { lackText, type StoreLack } from '../node/objects/store-totals.ts'
import type { AppendChoice } from './append-cap.ts'
import { quoted } from './check-targets.ts'
import type { Context, Outcome } from './command.ts'
import { formatElapsed } from './duration.ts'
import { exitCodes } from './exit-codes.ts'
import { headText, shortId } from './log-cap.ts'

export async function tell(
  { output }: Context,
  report: BackupReport,
  elapsedMs: number,
  choice: AppendChoice,
): Promise<Outcome> {
  const { snapshot, device, seq, totals, count, addedBytes, sentBytes, partial, audit } = report
  const head = headText(device, seq, snapshot.id)
  const { files, others, directories, gone, readBytes, resumedBytes, notices } = count
  await tellLack({ output }, report.lack, choice)
  const lost = await tellAudit({ output }, audit)
  output.note(`files: ${inWords(files)}; ${gone} gone`)
  output.note(
    `read ${formatByteSize(readBytes)}, added ${formatByteSize(addedBytes)}, sent ${formatByteSize(sentBytes)} of shares`,
  )
  await output.item({ snapshot: shortId(snapshot.id), head }, head)
  return {
    summary: {
      ...{
        snapshot: shortId(snapshot.id),
        head,
        files,
        others,
        directories,
        gone,
        readBytes,
        resumedBytes,
      },
      ...{ addedBytes, sentBytes, totals, notices, partial, elapsedMs, lack: report.lack },
      audited: { objects: audit.objects.length, lost, silent: audit.silent.length },
    },
    text: `snapshot ${shortId(snapshot.id)} has ${totals.files} files, ${formatByteSize(totals.bytes)}; it took ${formatElapsed(elapsedMs)}`,
    exit: partial ? exitCodes.partlyDone : exitCodes.ok,
  }
}

/** What found fewer servers than it should, as `grid put` says it, and what to do. */
export async function tellLack(
  { output }: Pick<Context, 'output'>,
  lack: StoreLack,
  { log, appendCapFile }: AppendChoice,
): Promise<void> {
  // whoever has the append cap alone may not check: that is for whoever may read the log
  const what = appendCapFile === undefined ? `--log ${quoted(log)}` : 'CAP, of the log'
  const text = lackText(lack, `grid repair ${what}`)
  if (text !== undefined) await output.warning(text, { lack })
}

/** Such as `1 new, 2 changed, 3 unchanged`. */
export function inWords(counts: { new: number; changed: number; unchanged: number }): string {
  return `${counts.new} new, ${counts.changed} changed, ${counts.unchanged} unchanged`
}

/** Warns if a sample of what was stored before is not all there; gives the number of objects. */
async function tellAudit(
  { output }: Pick<Context, 'output'>,
  { objects, silent }: AuditReport,
): Promise<number> {
  const lost = objects.filter(({ block }) => block === 'bad').length
  const unseen = objects.filter(({ block }) => block === 'unanswered').length
  const of = `of ${objects.length} objects of earlier backups that were looked at`
  if (lost > 0)
    await output.warning(`${of}, ${lost} are damaged on a server`, {
      objects: objects.length,
      lost,
    })
  if (unseen > 0) {
    const why = silent.length > 0 ? `; ${silent.length} servers did not answer` : ''
    await output.warning(`${of}, ${unseen} could not be seen${why}`, { unseen })
  }
  return lost
}
