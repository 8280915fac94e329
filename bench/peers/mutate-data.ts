/** Changes a data set as a day of work would, and takes the changes back. */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { SeededBytes } from './seeded-bytes.ts'
import { walkSorted } from './walk-sorted.ts'

/** What to undo: originals that lie in the stash, files that were not there. */
interface Changes {
  moved: string[]
  added: string[]
}

/** Edits in the one file of `big`, and the most bytes of one. */
const bigEdits = 20
const longestEdit = 4096

/** Changes `directory`, which holds data set `name`; originals go to `directory`.stash. */
export function mutate(name: string, directory: string): void {
  const source = new SeededBytes(`mutate-${name}`)
  const changes: Changes = { moved: [], added: [] }
  mkdirSync(`${directory}.stash`)
  if (name === 'big') editBig(directory, source, changes)
  else editFiles(directory, source, changes)
  writeFileSync(`${directory}.stash.json`, JSON.stringify(changes))
}

/** Undoes `mutate`: originals come back with their inodes and times. Does nothing if there is nothing to undo. */
export function unmutate(directory: string): void {
  const stash = `${directory}.stash`
  if (!existsSync(`${stash}.json`)) return
  const { moved, added } = JSON.parse(readFileSync(`${stash}.json`, 'utf8')) as Changes
  for (const name of added) rmSync(`${directory}/${name}`, { force: true })
  for (const name of moved) renameSync(`${stash}/${name}`, `${directory}/${name}`)
  rmSync(stash, { recursive: true })
  rmSync(`${stash}.json`)
}

/** Moves a file to the stash; gives the path it has there. */
function stashAway(directory: string, name: string, changes: Changes): string {
  const place = `${directory}.stash/${name}`
  mkdirSync(path.dirname(place), { recursive: true })
  renameSync(`${directory}/${name}`, place)
  changes.moved.push(name)
  return place
}

/** 1 % of the files edited, 0.5 % deleted, 0.5 % added. */
function editFiles(directory: string, source: SeededBytes, changes: Changes): void {
  const files: string[] = []
  for (const [name, stats] of walkSorted(directory)) if (stats.isFile()) files.push(name)
  const pick = (): string => files.splice(source.int(files.length), 1)[0]
  const count = Math.round(files.length / 100)
  for (let i = 0; i < count; i++) {
    const name = pick()
    const old = readFileSync(stashAway(directory, name, changes))
    const at = source.int(old.length + 1)
    const inserted = source.text(1 + source.int(512))
    const parts = [old.subarray(0, at), inserted, old.subarray(at)]
    writeFileSync(`${directory}/${name}`, Buffer.concat(parts))
  }
  for (let i = 0; i < count / 2; i++) stashAway(directory, pick(), changes)
  for (let i = 0; i < count / 2; i++) {
    const name = `${pick()}.new`
    writeFileSync(`${directory}/${name}`, source.bytes(source.int(8193)))
    changes.added.push(name)
  }
}

/** Inserts, deletions and overwriting of 1 to 4 KiB, in turn. */
function editBig(directory: string, source: SeededBytes, changes: Changes): void {
  const from = openSync(stashAway(directory, 'big.bin', changes), 'r')
  const to = openSync(`${directory}/big.bin`, 'w')
  const { size } = fstatSync(from)
  const buffer = Buffer.alloc(1 << 20)
  let offset = 0
  const copyUntil = (end: number): void => {
    while (offset < end) {
      const length = readSync(from, buffer, 0, Math.min(buffer.length, end - offset), offset)
      writeSync(to, buffer, 0, length)
      offset += length
    }
  }
  const places = Array.from({ length: bigEdits }, () => source.int(size - 2 * longestEdit))
  for (const [i, place] of places.sort((a, b) => a - b).entries()) {
    if (place < offset) continue
    copyUntil(place)
    const length = 1024 + source.int(longestEdit - 1023)
    if (i % 3 !== 1) writeSync(to, source.bytes(length))
    if (i % 3 !== 0) offset += length
  }
  copyUntil(size)
  closeSync(from)
  closeSync(to)
}
