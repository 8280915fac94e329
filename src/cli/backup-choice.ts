/** What `grid backup` was asked for. */
import type { AppendChoice } from './append-cap.ts'
import type { SourceChoice } from './source-options.ts'

export interface BackupChoice extends SourceChoice, AppendChoice {
  facts: { tags: readonly string[]; label: string; host: string }
  dryRun: boolean
  watch: boolean
  stdinName: string
  checkpointMs: number
  uploadBytesPerSecond: number | undefined
}
