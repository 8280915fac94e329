/** A copy from one folder to another, by a tree and a target: what a backup and a restore do. */
import { readSync } from 'node:fs'
import { SystemRandom } from '../../src/base/random.ts'
import type { EntryFacts } from '../../src/local/facts.ts'
import { dataRuns, type LocalFile } from '../../src/local/local-file.ts'
import { openTarget } from '../../src/local/local-target.ts'
import { LocalTree, type LocalTreeOptions } from '../../src/local/local-tree.ts'
import type { TargetDirectory } from '../../src/local/target-directory.ts'
import type { TargetOptions } from '../../src/local/target-run.ts'
import { native, Notices } from './scratch.ts'

export interface Copy {
  source: string
  target: string
  reading?: Partial<LocalTreeOptions>
  writing?: Partial<TargetOptions>
}

/** Notices of the reading and of the writing, in order. */
export async function copyTree({ source, target, reading, writing }: Copy): Promise<Notices> {
  const notices = new Notices()
  const { report } = notices
  const tree = new LocalTree(source, { report, native, ...reading })
  const root = openTarget(target, {
    ...{ report, native, random: new SystemRandom(), trusted: true },
    ...writing,
  })
  const open: { facts: EntryFacts; directory: TargetDirectory | undefined }[] = []
  for (const { step, entry } of tree.walk()) {
    if (step === 'leave') {
      const { facts, directory } = open.pop()!
      directory?.finish(facts)
      continue
    }
    const facts = tree.describe(entry)
    const above = open.at(-1)
    if (step === 'enter')
      open.push({
        facts,
        directory: above === undefined ? root : above.directory?.directory(facts),
      })
    else if (entry.kind === 'file') {
      const file = tree.open(entry)
      await above?.directory?.place(facts, () => contentOf(file))
      file.close()
    } else await above?.directory?.place(facts, () => contentOf(undefined))
  }
  return notices
}

async function* contentOf(file: LocalFile | undefined): AsyncGenerator<Uint8Array, void> {
  if (file === undefined) return
  let at = 0
  for (const { start, end } of [...dataRuns(file, native), { start: file.sizeBytes, end: 0 }]) {
    if (start > at) yield new Uint8Array(start - at)
    for (at = start; at < end;) {
      const piece = new Uint8Array(Math.min(100_000, end - at))
      at += readSync(file.fd, piece, 0, piece.length, at)
      yield piece
    }
  }
}
