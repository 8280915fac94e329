/** `grid backup --dry-run`: makes nothing, and asks no server. */
import { formatByteSize } from '../base/byte-size.ts'
import { isGridError } from '../base/errors.ts'
import { dryRun } from '../backup/dry-run.ts'
import { escapedName } from '../local/escaped-name.ts'
import { type AppendChoice, presentAppendCap } from './append-cap.ts'
import { lookAtRunMemory } from './backup-memory.ts'
import { inWords } from './backup-summary.ts'
import type { CacheReader } from '../backup/memory/cache-reader.ts'
import type { Context, Outcome } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { NoticeLines } from './notice-lines.ts'
import type { ChosenSource } from './source-options.ts'

export async function dryRunCommand(
  context: Context,
  source: ChosenSource,
  choice: AppendChoice,
): Promise<Outcome> {
  const { output } = context
  const notices = new NoticeLines()
  const cache = await lastCache(context, source, choice)
  const lines: { change: string; path: string; sizeBytes: number }[] = []
  try {
    const count = dryRun(source.open(notices.report), cache?.rows(), (entry) => {
      lines.push({ ...entry, path: escapedName(entry.path) })
    })
    for (const line of lines) await output.item(line, `${line.change} ${line.path}`)
    await notices.tellRest(output)
    const { files, others, directories, gone, readBytes } = count
    return {
      summary: { files, others, directories, gone, readBytes, dryRun: true },
      text: `files: ${inWords(files)}; ${gone} gone; ${formatByteSize(readBytes)} would be read`,
      exit: notices.count > 0 ? exitCodes.partlyDone : exitCodes.ok,
    }
  } finally {
    cache?.close()
  }
}

/** Undefined on a machine that has not backed this up yet. */
async function lastCache(
  context: Context,
  { paths }: ChosenSource,
  choice: AppendChoice,
): Promise<CacheReader | undefined> {
  try {
    const append = await presentAppendCap(context, choice)
    return append && (await lookAtRunMemory(context, append, paths))
  } catch (error) {
    if (isGridError(error, 'E_NOT_INITIALISED')) return undefined
    throw error
  }
}
