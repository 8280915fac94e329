/** A tree that somebody works on: some 3,000 real files and 40 MB, changed between backups. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { utf8 } from '../../src/base/bytes.ts'
import { loadNative } from '../../src/local/native.ts'
import type { SimRandom } from '../sim/sim-random.ts'
import { copyRealFiles } from './real-files.ts'

const fileCount = 3000
const maxRealBytes = 2 ** 18
const largeCount = 6
const native = await loadNative()

/** Makes the tree in the new directory `root`: real files, large ones, links, what else there is. */
export function makeBusyTree(root: string, realFiles: string, random: SimRandom): void {
  copyRealFiles(realFiles, path.join(root, 'real'), fileCount, { maxBytes: maxRealBytes })
  const at = (...names: string[]): string => path.join(root, ...names)
  for (const name of ['large', 'odd/empty']) fs.mkdirSync(at(name), { recursive: true })
  for (let i = 0; i < largeCount; i++)
    fs.writeFileSync(at('large', `${i}`), random.bytes(random.between(1.1 * 2 ** 20, 3 * 2 ** 20)))
  fs.copyFileSync(at('large', '0'), at('large', 'a copy of 0'))
  fs.linkSync(at('large', '1'), at('odd', 'link of 1'))
  fs.writeFileSync(at('odd', 'empty file'), '')
  fs.writeFileSync(Buffer.concat([utf8(at('odd/')), Buffer.from([0x0a, 0xff, 0x1b])]), 'odd name')
  fs.symlinkSync('../large/2', at('odd', 'symbolic'))
  fs.symlinkSync('/nowhere', at('odd', 'dangling'))
  fs.chmodSync(at('large', '3'), 0o640)
  if (process.getuid?.() === 0) decorate(at('odd'))
}

function decorate(odd: string): void {
  const file = path.join(odd, 'of another')
  fs.writeFileSync(file, 'x')
  fs.chownSync(file, 1234, 5678)
  fs.chmodSync(file, 0o4755)
  if (native === undefined) return
  native.makeNode(utf8(path.join(odd, 'fifo')), 0o010600, { major: 0, minor: 0 })
  native.makeNode(utf8(path.join(odd, 'device')), 0o020600, { major: 1, minor: 3 })
  // not every file system takes them
  for (const name of ['user.note', 'trusted.note']) {
    try {
      native.writeXattr(utf8(file), utf8(name), utf8('kept'))
    } catch (error) {
      console.log(`  not tried here: ${name}: ${String(error)}`)
    }
  }
}

/** A copy with everything, hard links and times too. */
export function copyTree(source: string, target: string): void {
  execFileSync('cp', ['-a', source, target])
}

export class BusyTree {
  readonly root: string
  readonly #random: SimRandom
  #made = 0

  /** Of a tree that `makeBusyTree` made. */
  constructor(root: string, random: SimRandom) {
    this.root = root
    this.#random = random
  }

  /** A few files changed, made, removed, renamed; modes and times of others. */
  changeLittle(): void {
    const files = this.#random.shuffled(this.#files()).slice(0, 12)
    const [removed, renamed, cut, shown, touched, replaced, ...grown] = files
    fs.rmSync(removed)
    fs.renameSync(renamed, `${renamed} renamed ${this.#made}`)
    fs.truncateSync(cut, Math.floor(fs.statSync(cut).size / 2))
    fs.chmodSync(shown, 0o600 + this.#random.below(0o100))
    fs.utimesSync(touched, 1_000_000_000, this.#random.below(2 ** 31))
    fs.rmSync(replaced)
    fs.symlinkSync('somewhere', replaced)
    for (const file of grown) fs.appendFileSync(file, this.#random.bytes(100))
    const folder = path.join(this.root, `made ${this.#made++}`)
    fs.mkdirSync(folder)
    for (let i = 0; i < 5; i++)
      fs.writeFileSync(path.join(folder, `${i}`), this.#random.bytes(1000 * i))
    fs.linkSync(path.join(folder, '3'), path.join(folder, 'link'))
  }

  /** A third of all files, and the middle of two large ones. */
  changeMuch(): void {
    this.changeLittle()
    for (const file of this.#files())
      if (this.#random.chance(1 / 3)) fs.appendFileSync(file, this.#random.bytes(16))
    for (const name of ['0', '4']) {
      const fd = fs.openSync(path.join(this.root, 'large', name), 'r+')
      fs.writeSync(fd, this.#random.bytes(1000), 0, 1000, 500_000 + this.#random.below(500_000))
      fs.closeSync(fd)
    }
  }

  /** Small ones, in no order that matters. */
  #files(): string[] {
    return fs
      .readdirSync(path.join(this.root, 'real'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .sort()
  }
}
