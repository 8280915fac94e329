/**
 * A home, a tree and a grid of one folder, on which backups and restores are killed and run again.
 * After each kill that is followed by a whole run, everything that a user relies on is checked.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import type { SimRandom } from '../sim/sim-random.ts'
import { BusyTree, copyTree } from './busy-tree.ts'
import { grid, mustGrid, type Ran } from './command.ts'
import { type Killed, killGrid } from './killed.ts'
import { differences, listTree } from './tree-listing.ts'

/** What was measured over all sessions. */
export interface KillTally {
  backups: number
  restores: number
  /** Processes that had ended before they could be killed; they count as none. */
  tooLate: number
  /** Kills by what the process had done by then; of those that had stored something, some had told the log. */
  nothingStored: number
  partStored: number
  appended: number
  /** Bytes of shares that were stored when a first backup was killed, and those that came twice. */
  storedBytes: number
  twiceBytes: number
  mostTwiceBytes: number
  /** Files that were whole when a restore was killed, and those of them that were written again. */
  wholeFiles: number
  rewrittenFiles: number
  snapshotsRead: number
}

export const noTally = (): KillTally => ({
  ...{ backups: 0, restores: 0, tooLate: 0, nothingStored: 0, partStored: 0, appended: 0 },
  ...{ storedBytes: 0, twiceBytes: 0, mostTwiceBytes: 0, wholeFiles: 0, rewrittenFiles: 0 },
  snapshotsRead: 0,
})

/** How long a run takes that is left alone, in ms, and what a first one stores. */
export interface Undisturbed {
  first: number
  much: number
  little: number
  lost: number
  restore: number
  firstBytes: number
}

type RoundKind = 'first' | 'much' | 'little' | 'lost'

/** Shares that a run may store twice: what the journal had not been told yet, and what was on its way. */
const maxTwiceBytes = 17 * 2 ** 20
/** A run that was killed is killed again so often before it may end. */
const killAgain = 1 / 3

export class KillSession {
  readonly #folder: string
  readonly #random: SimRandom
  readonly #tree: BusyTree
  readonly #tally: KillTally
  /** What each committed snapshot must hold, by its head; undefined where its run was killed. */
  readonly #committed = new Map<string, string[] | undefined>()

  private constructor(folder: string, random: SimRandom, tally: KillTally) {
    this.#folder = folder
    this.#random = random
    this.#tally = tally
    this.#tree = new BusyTree(path.join(folder, 'tree'), random)
  }

  /** In the new directory `folder`, with a copy of the tree at `template`. */
  static async open(
    folder: string,
    template: string,
    { random, tally }: { random: SimRandom; tally: KillTally },
  ): Promise<KillSession> {
    fs.mkdirSync(folder)
    copyTree(template, path.join(folder, 'tree'))
    const session = new KillSession(folder, random, tally)
    const disk = session.#at('disk')
    fs.mkdirSync(disk)
    const one = ['--k', '1', '--happy', '1', '--n', '1']
    await mustGrid(session.#home, ['init', '--disks', disk, ...one])
    return session
  }

  /** Runs one of each kind to its end. */
  async measure(): Promise<Undisturbed> {
    const time = async (kind: RoundKind): Promise<number> => {
      this.#change(kind)
      return (await this.#finish()).seconds * 1000
    }
    const first = await time('first')
    const firstBytes = this.#storedBytes()
    const [much, little, lost] = [await time('much'), await time('little'), await time('lost')]
    const { seconds } = await mustGrid(this.#home, this.#restoreWords('measured'))
    return { first, much, little, lost, restore: seconds * 1000, firstBytes }
  }

  /** Kills `kills` backups, in rounds of one or more, each of which ends with a whole run. */
  async killBackups(kills: number, undisturbed: Undisturbed): Promise<void> {
    const kinds: RoundKind[] = ['first', 'much', 'little', 'lost', 'much', 'little']
    for (let round = 0, left = kills; left > 0; round++) {
      const kind = kinds[round % kinds.length]
      this.#change(round === 0 || kind !== 'first' ? kind : 'much')
      const before = this.#storedBytes()
      let killed = 0
      do {
        if (await this.#killBackup(undisturbed[kind], before)) killed++
      } while (killed === 0 || (killed < left && this.#random.chance(killAgain)))
      const atKill = this.#storedBytes()
      left -= killed
      await this.#finish()
      if (round === 0) this.#countTwice(atKill, undisturbed.firstBytes)
      await this.#check(round)
    }
  }

  async killRestores(kills: number, undisturbed: Undisturbed): Promise<void> {
    const wanted = await listTree(this.#tree.root)
    for (let left = kills, round = 0; left > 0; round++) {
      const name = `back ${round}`
      let killed = 0
      do {
        const { killed: isKilled } = await this.#kill(this.#restoreWords(name), undisturbed.restore)
        if (isKilled) killed++
        else fs.rmSync(this.#at(name), { recursive: true, force: true })
      } while (killed === 0 || (killed < left && this.#random.chance(killAgain)))
      this.#tally.restores += killed
      left -= killed
      await this.#finishRestore(name, wanted)
    }
  }

  #change(kind: RoundKind): void {
    if (kind === 'much') this.#tree.changeMuch()
    if (kind === 'little' || kind === 'lost') this.#tree.changeLittle()
    if (kind === 'lost') fs.rmSync(path.join(this.#home, 'cache'), { recursive: true })
  }

  async #killBackup(lengthMs: number, before: number): Promise<boolean> {
    const { killed, heads } = await this.#kill(['backup', this.#tree.root], lengthMs)
    for (const head of heads) this.#committed.set(head, undefined)
    if (!killed) return false
    this.#tally.backups++
    if (this.#storedBytes() > before) this.#tally.partStored++
    else this.#tally.nothingStored++
    return true
  }

  async #kill(words: readonly string[], lengthMs: number): Promise<Killed> {
    // more of them late, when there is more to lose, and some when all is done but the end
    const afterMs = Math.sqrt(this.#random.unit()) * 1.1 * lengthMs
    const killed = await killGrid(this.#home, words, { afterMs, isGroup: this.#random.chance(0.5) })
    if (!killed.killed) this.#tally.tooLate++
    return killed
  }

  /** A backup to its end. */
  async #finish(): Promise<Ran> {
    const ran = await mustGrid(this.#home, ['backup', this.#tree.root])
    const { head, partial } = ran.end
    assert.equal(partial, false)
    this.#committed.set(String(head), await listTree(this.#tree.root))
    return ran
  }

  #countTwice(atKill: number, firstBytes: number): void {
    const twice = Math.max(0, this.#storedBytes() - firstBytes)
    this.#tally.storedBytes += atKill
    this.#tally.twiceBytes += twice
    this.#tally.mostTwiceBytes = Math.max(this.#tally.mostTwiceBytes, twice)
    assert.ok(twice <= maxTwiceBytes, `${twice} bytes of shares came twice`)
  }

  /** The snapshot equals the tree, and nothing that was in the log is lost. */
  async #check(round: number): Promise<void> {
    const log = await this.#log()
    for (const head of this.#committed.keys()) assert.ok(log.includes(head), `${head} is lost`)
    for (const head of log) {
      if (this.#committed.has(head)) continue
      this.#tally.appended++
      this.#committed.set(head, undefined)
    }
    const numbers = log.map((head) => Number(head.split(':')[1]))
    assert.deepEqual(
      numbers,
      [...numbers.keys()].map((i) => i + 1),
      'the chain has a gap',
    )
    const audit = await grid(this.#home, ['log', 'audit', '--cap-stdin'], this.#adminCap)
    assert.equal(audit.end.state, 'FRESH', JSON.stringify(audit.end))
    const known = [...this.#committed].filter(([, listing]) => listing !== undefined)
    const [newest] = known.slice(-1)
    await this.#readBack(newest)
    if (round % 3 === 2) await this.#readBack(this.#random.pick(known.slice(0, -1)))
  }

  async #readBack([head, wanted]: [string, string[] | undefined]): Promise<void> {
    const target = this.#at('read back')
    await mustGrid(this.#home, ['restore', `${head.split(':').slice(0, 2).join(':')}:tree`, target])
    assert.deepEqual(differences(await listTree(target), wanted ?? []), [], head)
    fs.rmSync(target, { recursive: true })
    this.#tally.snapshotsRead++
  }

  async #finishRestore(name: string, wanted: readonly string[]): Promise<void> {
    const target = this.#at(name)
    const isDirectory = /^\[b.*, '0o4\d{4}', /
    const want = new Set(wanted.filter((line) => !isDirectory.test(line)))
    const there = fs.existsSync(target) ? await listTree(target) : []
    const whole = there.filter((line) => want.has(line)).length
    const { end } = await mustGrid(this.#home, this.#restoreWords(name))
    assert.deepEqual(differences(await listTree(target), wanted), [])
    const parts = fs
      .readdirSync(target, { recursive: true, encoding: 'utf8' })
      .filter((each) => /\.grid-.*\.part$/.test(each))
    assert.deepEqual(parts, [])
    this.#tally.wholeFiles += whole
    this.#tally.rewrittenFiles += Math.max(0, whole + Number(end.files) - want.size)
    fs.rmSync(target, { recursive: true })
  }

  /** Heads of all snapshots, by number. */
  async #log(): Promise<string[]> {
    const { lines } = await mustGrid(this.#home, ['snapshots'])
    return lines
      .filter(({ shortId }) => shortId !== undefined)
      .map(({ device, seq, shortId }) => `${String(device)}:${String(seq)}:${String(shortId)}`)
  }

  /** Of shares. */
  #storedBytes(): number {
    return fs
      .readdirSync(this.#at('disk'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.includes('/shares'))
      .reduce((sum, { parentPath, name }) => sum + fs.statSync(path.join(parentPath, name)).size, 0)
  }

  get #adminCap(): string {
    return /^URI:LOG-Admin.*$/m.exec(fs.readFileSync(this.#capFile, 'utf8'))?.[0] ?? ''
  }

  get #capFile(): string {
    return path.join(this.#home, 'private/backups/backup')
  }

  #restoreWords(name: string): string[] {
    return ['restore', 'latest:tree', this.#at(name)]
  }

  get #home(): string {
    return this.#at('home')
  }

  #at(name: string): string {
    return path.join(this.#folder, name)
  }
}
