import { formatByteSize } from '../../base/byte-size.ts'
import { escapedName } from '../../local/escaped-name.ts'
import { backupLogOptions, backupReadCap, readSnapshots } from '../snapshot-source.ts'
import { command, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { openHomeGrid } from '../home-grid.ts'
import { NoticeLines } from '../notice-lines.ts'
import { choice, flag } from '../option.ts'
import { runRestore } from '../restore-run.ts'
import { selectionOf, selectionOptions } from '../selection-options.ts'
import { filterOf, filterOptions } from '../snapshot-options.ts'
import { findSnapshotPlace } from '../snapshot-place.ts'

export const restore: Command = command({
  arguments: [
    { name: 'SNAP', summary: 'a snapshot, or what is in it: latest, ID, LABEL; SNAP:PATH' },
    { name: 'DEST', summary: 'the directory to fill, or the new name of a file' },
  ],
  options: {
    ...selectionOptions,
    overwrite: choice(
      '--overwrite <WHEN>',
      'what becomes of files that are there and differ: never (unless given), newer or always',
      ['never', 'newer', 'always'],
    ),
    delete: flag('--delete', 'remove what is in DEST and not in the snapshot'),
    dryRun: flag('--dry-run', 'write nothing, and say what would be done'),
    verify: flag('--verify', 'read again what was written, and compare it with the snapshot'),
    numericIds: flag('--numeric-ids', 'give owners by number, whatever their names'),
    startup: flag('--startup', 'restore what a login runs or trusts into your home too'),
    ...backupLogOptions,
    ...filterOptions,
  },
  examples: [
    ['grid restore latest restored', 'restore the newest backup into a directory'],
    ['grid restore latest:data/mail ~/mail --overwrite newer', 'bring one directory back'],
  ],
  async run(context, { positionals: [place, target], options }) {
    const { output, signal } = context
    const cap = await backupReadCap(context, options)
    const grid = await openHomeGrid(context)
    try {
      const snapshots = await readSnapshots(context, grid, cap)
      const filter = filterOf(options)
      const source = await findSnapshotPlace(snapshots, place, { filter, signal })
      const { snapshot, shortId } = source.snapshot
      const notices = new NoticeLines()
      const deleted: Uint8Array[] = []
      const { count, check } = await runRestore(context, grid, {
        ...{ source, target, notices },
        selection: await selectionOf(options, snapshot.run?.root),
        overwrite: options.overwrite ?? 'never',
        deletes: options.delete,
        dryRun: options.dryRun,
        numericIds: options.numericIds,
        startup: options.startup,
        verify: options.verify,
        onDelete: (path) => deleted.push(path),
      })
      await notices.tellRest(output)
      const verb = options.dryRun ? 'would remove' : 'removed'
      for (const path of deleted)
        await output.item({ deleted: escapedName(path) }, `${verb} ${escapedName(path)}`)
      const { files, bytes, directories, finished, kept } = count
      const parts = [
        `${options.dryRun ? 'would restore' : 'restored'} ${files} files, ${formatByteSize(bytes)}, ${directories} directories`,
        ...(finished > 0 ? [`${finished} were there already`] : []),
        ...(kept > 0 ? [`${kept} kept as they were`] : []),
        ...(deleted.length > 0 ? [`${deleted.length} removed`] : []),
        ...(check !== undefined
          ? [`compared ${check.files + check.wrong} files, ${check.wrong} of them differ`]
          : []),
        ...(notices.refused > 0 ? [`${notices.refused} left out`] : []),
      ]
      return {
        summary: {
          ...{ snapshot: shortId, ...count, deleted: deleted.length, notices: notices.count },
          dryRun: options.dryRun,
          ...(check !== undefined && { check }),
        },
        text: parts.join(', '),
        exit: notices.count > 0 ? exitCodes.partlyDone : exitCodes.ok,
      }
    } finally {
      await grid.close()
    }
  },
})
