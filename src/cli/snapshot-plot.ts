/** The picture of listed snapshots, as a file. */
import type { ListedSnapshot } from '../backup/snapshots.ts'
import type { Context } from './command.ts'
import { writeSecretFile } from './new-file.ts'

/** Draws sizes over time, a line for each host, into a new file. Throws E_EXISTS, E_FILE. */
export async function writePlot(
  { world, output }: Pick<Context, 'world' | 'output'>,
  listed: readonly ListedSnapshot[],
  { file, title }: { file: string; title: string },
): Promise<void> {
  // what draws is loaded where something is drawn
  const { plotSnapshots } = await import('./plot-snapshots.ts')
  const points = listed.flatMap(({ snapshot, receivedMs, clientMs }) => {
    if (snapshot === undefined) return []
    const { host, totals, run } = snapshot
    const added = run?.addedBytes ?? 0
    const timeMs = receivedMs ?? clientMs
    return [{ timeMs, label: host, totalBytes: totals.bytes, addedBytes: added }]
  })
  // names of machines and sizes are nobody else's business
  await writeSecretFile(file, plotSnapshots(points, { title }), {
    ...{ replace: false, random: world.random },
  })
  output.note(`drew ${points.length} snapshots into ${file}`)
}
