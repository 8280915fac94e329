/** `grid backup -`: what another program writes, as one file. */
import { utf8 } from '../base/bytes.ts'
import { formatByteSize } from '../base/byte-size.ts'
import { untilAborted } from '../base/deadline.ts'
import { GridError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { backUpStream } from '../backup/backup-stream.ts'
import { checkName } from '../tree/entry.ts'
import { appendCapOf } from './append-cap.ts'
import type { BackupChoice } from './backup-choice.ts'
import type { Context, Outcome } from './command.ts'
import { sweepOwnFolders } from './folder-sweep.ts'
import { tellLack } from './backup-summary.ts'
import { openHomeGrid } from './home-grid.ts'
import { headText, shortId } from './log-cap.ts'

/** Throws E_USAGE if anything else is to be backed up with it; else as `backUpStream`. */
export async function backUpStdin(
  context: Context,
  positionals: readonly string[],
  choice: BackupChoice,
): Promise<Outcome> {
  if (positionals.length > 1 || choice.dryRun || choice.watch)
    throw new GridError('E_USAGE', 'standard input is backed up by itself, and once')
  const name = nameOf(choice.stdinName)
  const { world, signal, output, progress } = context
  const grid = await openHomeGrid(context)
  const task = progress.start(choice.stdinName, undefined)
  try {
    const append = await appendCapOf(context, grid, choice)
    const { uploadBytesPerSecond } = choice
    const report = await backUpStream(
      { grid, clock: world.clock },
      {
        ...{ append, name, signal },
        facts: { ...choice.facts, paths: [name], tool: `grid ${version}` },
        stream: untilAborted(world.stdin, signal),
        ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }),
        onStored: (bytes) => task.advance(bytes),
      },
    )
    const { snapshot, device, seq, sizeBytes, addedBytes, sentBytes, lack } = report
    const head = headText(device, seq, snapshot.id)
    await tellLack({ output }, lack, choice)
    await output.item({ snapshot: shortId(snapshot.id), head }, head)
    await sweepOwnFolders(context, grid, { seldom: true })
    return {
      summary: { snapshot: shortId(snapshot.id), head, sizeBytes, addedBytes, sentBytes, lack },
      text: `snapshot ${shortId(snapshot.id)} has ${choice.stdinName}, ${formatByteSize(sizeBytes)}`,
    }
  } finally {
    task.end()
    await grid.close()
  }
}

function nameOf(text: string): Uint8Array {
  const name = utf8(text)
  try {
    checkName(name)
    return name
  } catch (cause) {
    throw new GridError('E_USAGE', '--stdin-name is not the name of a file', { cause })
  }
}
