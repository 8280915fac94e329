/** Makes the data sets that are compared: the same on every machine, except `tree`. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { SeededBytes } from './seeded-bytes.ts'
import { walkSorted } from './walk-sorted.ts'

/** Sizes, which the environment can make smaller for a try. */
const treeRoots =
  process.env.TREE_ROOTS ?? '/usr/share /usr/lib/python3 /usr/lib/python3.11 /usr/include'
const treeBytes = Number(process.env.TREE_BYTES ?? 1e9)
const bigMebibytes = Number(process.env.BIG_MIB ?? 1024)
const manyFiles = Number(process.env.MANY ?? 50_000)
const homeFiles = Number(process.env.HOME_FILES ?? 1_000_000)

/** What fills the new directory of each data set. */
export const makers: Readonly<Record<string, (directory: string) => void>> = {
  tree: copyRealTree,
  big: makeBig,
  many: (directory) => makeMany(directory, manyFiles),
  many100k: (directory) => makeMany(directory, 2 * manyFiles),
  small1k: makeSmall,
  home1m: makeHome,
}

/** Real files of this machine: roots in order, files as long as they fit in `treeBytes`. */
function copyRealTree(directory: string): void {
  const paths: string[] = []
  let bytes = 0
  for (const root of treeRoots.split(' ').filter((name) => existsSync(name))) {
    for (const [relative, stats] of walkSorted(root)) {
      if (stats.isFile()) {
        if (bytes + Number(stats.size) > treeBytes) continue
        bytes += Number(stats.size)
      } else if (!stats.isSymbolicLink() && !stats.isDirectory()) continue
      paths.push(path.join(root, relative).slice(1))
    }
  }
  const list = `${directory}.list`
  writeFileSync(list, paths.map((name) => `${name}\0`).join(''))
  const copy = 'tar -C / --null --no-recursion -T "$0.list" -cf - | tar -C "$0" -xpf -'
  execFileSync('bash', ['-c', copy, directory])
  rmSync(list)
}

/** One file that neither compresses nor repeats. */
function makeBig(directory: string): void {
  const source = new SeededBytes('big')
  const file = openSync(`${directory}/big.bin`, 'w')
  for (let i = 0; i < bigMebibytes; i++) writeSync(file, source.bytes(1 << 20))
  closeSync(file)
}

/** Files of 0 to 8,192 bytes in 500 directories, every other one text. */
function makeMany(directory: string, count: number): void {
  const source = new SeededBytes('many')
  for (let i = 0; i < count; i++) {
    const parent = `${directory}/d${i % 20}/e${Math.floor(i / 20) % 25}`
    if (i < 500) mkdirSync(parent, { recursive: true })
    const length = source.int(8193)
    writeFileSync(`${parent}/f${i}`, i % 2 === 1 ? source.bytes(length) : source.text(length))
  }
}

/** 1,000 files of 4 KiB that do not compress: what a file costs beyond its bytes. */
function makeSmall(directory: string): void {
  const source = new SeededBytes('small1k')
  for (let i = 0; i < 1000; i++) writeFileSync(`${directory}/f${i}`, source.bytes(4096))
}

/** Files of 0 to 200 bytes, 1,000 a directory: what a walk costs. */
function makeHome(directory: string): void {
  const source = new SeededBytes('home1m')
  for (let i = 0; i < homeFiles; i++) {
    const parent = `${directory}/d${Math.floor(i / 1000)}`
    if (i % 1000 === 0) mkdirSync(parent)
    writeFileSync(`${parent}/f${i}`, source.bytes(source.int(201)))
  }
}
