/** Bugs put into backups on purpose, to see that the simulation finds each of them. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { CacheFile, CacheFolder } from '../../../src/backup/memory/cache-folder.ts'
import { DirectoryBuilder } from '../../../src/backup/directory-builder.ts'
import { type MergedStep, MergedWalk } from '../../../src/backup/merged-walk.ts'
import type { RunMemory } from '../../../src/backup/memory/run-memory.ts'
import type { BackupSource } from '../../../src/backup/source.ts'
import { StoredRow } from '../../../src/backup/memory/stored-row.ts'
import { isGridError } from '../../../src/base/errors.ts'
import type { LocalStep } from '../../../src/local/local-tree.ts'
import type { FileStore, FileToStore } from '../../../src/node/content/file-store.ts'
import { ObjectWriter } from '../../../src/node/content/object-writer.ts'
import { altered } from '../altered.ts'
import { runPlan } from '../run-plan.ts'
import { makeBackupPlan } from './backup-plan.ts'
import type { BackupWorldParts } from './backup-world.ts'

/** Seeds in which a bug must show. */
const seedsTried = 150

/** A method of the real thing that is replaced while the bug is in. */
interface Replaced {
  of: object
  method: string
  by: (this: never, ...args: never[]) => unknown
}

interface Planted {
  parts?: BackupWorldParts
  replaced?: Replaced
  found: RegExp
  /** The seed to begin at; 1 if absent. */
  from?: number
}

type Grid = Parameters<NonNullable<BackupWorldParts['grid']>>[0]

/** Files are said to be stored as soon as they have a name. */
const boastful = (grid: Grid): Grid => {
  const early = <T>(store: FileStore<T>): FileStore<T> =>
    altered(store, {
      add: async (file: FileToStore<T>) => {
        const slot = await store.add(file)
        const isNamed = (): boolean => slot.isSettled
        return altered(slot, {
          get isSettled() {
            return isNamed()
          },
          get result() {
            return slot.result && { ...slot.result, stored: Promise.resolve() }
          },
        })
      },
    })
  const { trees } = grid
  const write: typeof trees.write = (work, options) =>
    trees.write((writer) => {
      const files: typeof writer.files = (how) => early(writer.files(how))
      return work(altered(writer, { files }))
    }, options)
  return { ...grid, trees: altered(trees, { write }) }
}

/** The new cache takes the place of the old one before its snapshot is in the log. */
const hasty = (grid: Grid, memory: () => RunMemory): Grid => {
  const { logs } = grid
  const append: typeof logs.append = async (...args) => {
    await memory().commit()
    return logs.append(...args)
  }
  return { ...grid, logs: altered(logs, { append }) }
}

/** A snapshot that too few servers took counts as durable. */
const content = (grid: Grid): Grid => {
  const { logs } = grid
  const append: typeof logs.append = async (...args) => {
    try {
      return await logs.append(...args)
    } catch (error) {
      if (!isGridError(error, 'E_NOT_DURABLE')) throw error
      const settled = Promise.resolve([])
      const id = new Uint8Array(32)
      const entry = { header: id, signature: id, body: undefined }
      return { outcome: 'committed', seq: 0, id, entry, receipts: [], servers: [], settled }
    }
  }
  return { ...grid, logs: altered(logs, { append }) }
}

const noSyncOfNames = (folder: CacheFolder): CacheFolder =>
  altered(folder, { sync: async () => {} })

const noSyncOfFiles = (folder: CacheFolder): CacheFolder =>
  altered(folder, {
    create: (name): CacheFile => altered(folder.create(name), { sync: async () => {} }),
  })

/** Takes the time of change for what it was in the beginning. */
const blindToChanges = (source: BackupSource): BackupSource =>
  altered(source, {
    *walk(): Generator<LocalStep, void> {
      for (const { step, entry } of source.walk()) {
        Object.assign(entry.stats, { ctimeNs: 1n })
        yield { step, entry }
      }
    },
  })

const trueWalk = Reflect.get(MergedWalk.prototype, 'walk') as () => Generator<MergedStep, void>

function* goneForUnseen(this: MergedWalk): Generator<MergedStep, void> {
  let depth = 0
  for (const merged of trueWalk.call(this)) {
    if (merged.step !== 'unseen') {
      yield merged
      continue
    }
    const { step, name } = merged.row
    if (step === 'leave') depth--
    else if (depth === 0) yield { step: 'gone', name: name.slice() }
    if (step === 'enter') depth++
  }
}

const planted: Record<string, Planted> = {
  'tells the journal of files before servers have them': {
    parts: { grid: boastful },
    found: /B3/,
  },
  'swaps the cache before the snapshot is in the log': { parts: { grid: hasty }, found: /B2/ },
  'counts a snapshot as durable that is not': {
    parts: { grid: content },
    found: /B2|B1|B6/,
    from: 125,
  },
  'does not sync the names of its cache': {
    parts: { folder: noSyncOfNames },
    found: /B6/,
    from: 8,
  },
  'does not sync the files of its cache': {
    parts: { folder: noSyncOfFiles },
    found: /B6/,
    from: 8,
  },
  'does not look at the time of change': { parts: { source: blindToChanges }, found: /B1/ },
  'takes every file for what it was': {
    replaced: { of: StoredRow.prototype, method: 'matches', by: () => true },
    found: /B1/,
  },
  'does not overwrite keys': {
    parts: { folder: (folder) => altered(folder, { wipe: async () => {} }) },
    found: /B7/,
  },
  'keeps what is gone': {
    replaced: { of: DirectoryBuilder.prototype, method: 'remove', by: () => undefined },
    found: /B1/,
  },
  'takes what a walk did not come to for gone': {
    replaced: { of: MergedWalk.prototype, method: 'walk', by: goneForUnseen },
    found: /B1/,
    from: 49,
  },
  'does not wait for its objects': {
    replaced: { of: ObjectWriter.prototype, method: 'settle', by: async () => undefined },
    found: /B1|B3|B5/,
    from: 15,
  },
}

describe('simulation of backups, with a bug planted in it', () => {
  for (const [name, { parts, replaced, found, from }] of Object.entries(planted)) {
    it(`finds out a backup that ${name}`, async () => {
      const undo = replaced && plant(replaced)
      try {
        assert.match(await firstViolation(parts, from), found)
      } finally {
        undo?.()
      }
    })
  }
})

function plant({ of, method, by }: Replaced): () => void {
  const before = Reflect.get(of, method) as unknown
  Reflect.set(of, method, by)
  return () => void Reflect.set(of, method, before)
}

async function firstViolation(parts: BackupWorldParts | undefined, from = 1): Promise<string> {
  for (let seed = from; seed < from + seedsTried; seed++) {
    const options = parts === undefined ? {} : { backupParts: parts }
    const { violation } = await runPlan(makeBackupPlan(`planted ${seed}`), options)
    if (violation !== undefined) return violation
  }
  return `not found in ${seedsTried} seeds`
}
