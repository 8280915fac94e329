/**
 * How far scrubbing has come, and what it found: what a restart must not forget. Kept in one small
 * file, `<root>/scrub`: a line of JSON, and a line with its SHA-256 in hex. A damaged one is as none.
 */
import path from 'node:path'
import { toHex, utf8 } from '../../base/bytes.ts'
import type { Disk } from '../../base/disk.ts'
import { sha256 } from '../../base/hash.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'
import { writeSynced } from '../synced-file.ts'
import type { Span } from './schedule.ts'

/** What one pass came to. */
export interface ScrubCounts {
  /** Shares read through, and their bytes. */
  checked: number
  checkedBytes: number
  /** Found damaged, and taken out of service where the disk let it. */
  damaged: number
  /** Of a format that this version does not know: left as they are. */
  newer: number
  /** Not there, and not deleted on purpose. */
  lost: number
}

export interface ScrubPass extends ScrubCounts {
  /** What is due in it; all shares are where `forced` is set. */
  span: Span
  forced: boolean
  /** Name of the last share that is done with; '' before the first. */
  after: string
  /** Names of shares that could not be read, and are tried once more. */
  again: string[]
}

export interface FullPass extends ScrubCounts {
  startedMs: number
  endedMs: number
}

export interface ScrubState {
  /** What was due up to here has been read; wall time. */
  doneMs: number
  /** Since then, every pass has been carried out; together they are a full one after 35 days. */
  roundFromMs: number
  round: ScrubCounts
  /** The pass that is under way. */
  pass: ScrubPass | undefined
  /** The last time that every share had been read, and what came of it. */
  lastFull: FullPass | undefined
}

/** Where it is kept. */
export interface ScrubRecord {
  /** Undefined where nothing sound is kept. */
  load(): Promise<ScrubState | undefined>
  /** Durable when it resolves. @throws E_IO, E_FULL */
  save(state: ScrubState): Promise<void>
}

export const noCounts: ScrubCounts = { checked: 0, checkedBytes: 0, damaged: 0, newer: 0, lost: 0 }

const maxFileBytes = 256 * 1024

export function diskScrubRecord({ disk, root }: { disk: Disk; root: string }): ScrubRecord {
  const at = path.join(root, 'scrub')
  const temporary = path.join(root, 'scrub.new')
  return {
    async load() {
      const file = await ifPresent(disk.openRead(at))
      if (file === undefined) return undefined
      try {
        const size = await onDisk('read', file.size())
        if (size > maxFileBytes) return undefined
        return parseState(await onDisk('read', file.read(0, size)))
      } finally {
        await file.close()
      }
    },
    async save(state) {
      await ifPresent(disk.unlink(temporary), 'write')
      await writeSynced(disk, temporary, [formatState(state)])
      await onDisk('write', disk.rename(temporary, at))
      await onDisk('sync', disk.syncDirectory(root))
    },
  }
}

/** For tests, and for stores that are gone with their process. */
export function memoryScrubRecord(): ScrubRecord {
  let kept: Uint8Array | undefined
  return {
    load: async () => kept && parseState(kept),
    save: async (state) => {
      kept = formatState(state)
    },
  }
}

function formatState(state: ScrubState): Uint8Array {
  const line = JSON.stringify({ v: 1, ...state })
  return utf8(`${line}\n${toHex(sha256(utf8(line)))}\n`)
}

function parseState(bytes: Uint8Array): ScrubState | undefined {
  const [line = '', check] = new TextDecoder().decode(bytes).split('\n')
  if (toHex(sha256(utf8(line))) !== check) return undefined
  // the checksum vouches that this very program, or an older one, has written it
  const { v, ...state } = JSON.parse(line) as ScrubState & { v: number }
  return v === 1 ? { ...state, pass: state.pass, lastFull: state.lastFull } : undefined
}
