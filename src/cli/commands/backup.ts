import os from 'node:os'
import { parseByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { defaultLogName } from '../../backup/keys/keyring.ts'
import { runBackupCommand } from '../backup-run.ts'
import { command, type Command } from '../command.ts'
import { parseDurationMs } from '../duration.ts'
import { flag, list, text, value } from '../option.ts'
import { sourceOptions } from '../source-options.ts'

const defaultCheckpointMs = 15 * 60_000

export const backup: Command = command({
  arguments: [
    {
      name: 'PATH',
      summary: 'what to back up, directories with all below them; - is standard input',
      many: true,
      optional: true,
    },
  ],
  options: {
    ...sourceOptions,
    log: text('--log <NAME>', `which log of this home to back up into (${defaultLogName})`),
    appendCapFile: text('--append-cap-file <FILE>', 'back up into the log of this LOG-Append cap'),
    name: text('-n, --name <NAME>', 'what to call the snapshot'),
    tag: list('-t, --tag <TAG>', 'mark the snapshot; may be repeated'),
    host: text('--host <NAME>', "another name than this machine's"),
    stdinName: text('--stdin-name <NAME>', 'what to call the file that is standard input (stdin)'),
    dryRun: flag('--dry-run', 'say what would be stored, and store nothing'),
    limitUpload: value(
      '--limit-upload <RATE>',
      'send no more than so many bytes a second, such as 2MiB',
      'a size like 2MiB',
      parseByteSize,
    ),
    checkpoint: value(
      '--checkpoint <TIME>',
      'append a partial snapshot after so long (15m)',
      'a time like 5m',
      parseDurationMs,
    ),
    watch: flag('--watch', 'back up again whenever something changes, until Ctrl-C'),
  },
  examples: [
    ['grid backup ~/data', 'back up a directory; makes a home and a log if there are none'],
    [
      'grid backup --exclude-caches -e "*.o" ~/src ~/mail',
      'several, without what can be made again',
    ],
    ['pg_dump shop | grid backup - --stdin-name shop.sql', 'what another program writes'],
    ['grid backup --dry-run ~/data', 'see what has changed since the last time'],
  ],
  async run(context, { positionals, options }) {
    const { tag: tags, name: label = '', host = os.hostname(), checkpoint } = options
    if (tags.length > 16 || tags.some((tag) => tag === '' || tag.length > 64))
      throw new GridError('E_USAGE', 'a snapshot takes up to 16 tags of at most 64 characters')
    const { limitUpload: uploadBytesPerSecond, stdinName = 'stdin', ...rest } = options
    return runBackupCommand(context, positionals, {
      ...rest,
      stdinName,
      facts: { tags, label, host },
      log: options.log ?? defaultLogName,
      checkpointMs: checkpoint ?? defaultCheckpointMs,
      uploadBytesPerSecond,
    })
  },
})
