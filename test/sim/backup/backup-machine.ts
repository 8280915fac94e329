/**
 * A machine that is backed up: its tree, its disk, processes on it that die and start anew, and
 * their runs, one at a time.
 */
import { isGridError } from '../../../src/base/errors.ts'
import { runBackup, type BackupOptions, type BackupParts } from '../../../src/backup/backup.ts'
import type { CacheFolder } from '../../../src/backup/memory/cache-folder.ts'
import { RunMemory } from '../../../src/backup/memory/run-memory.ts'
import type { BackupSource } from '../../../src/backup/source.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/clock.ts'
import type { Random } from '../../../src/base/random.ts'
import type { CapOf } from '../../../src/caps/cap.ts'
import type { Encoder } from '../../../src/encoding/encoder.ts'
import type { Notice } from '../../../src/local/notice.ts'
import { Grid } from '../../../src/node/grid.ts'
import type { FileStore, FileToStore } from '../../../src/node/content/file-store.ts'
import type { TreeStore } from '../../../src/node/content/tree-store.ts'
import type { Redundancy } from '../../../src/node/placement/placement.ts'
import { MemoryFiles } from '../../backup/memory-files.ts'
import { type MemoryFile, MemoryTree } from '../../backup/memory-tree.ts'
import { altered } from '../altered.ts'
import { newDirectory } from '../disk-image.ts'
import { HostClock } from '../host-clock.ts'
import type { Journal } from '../journal.ts'
import { DiskJournal, DiskPins, homeDirectory } from '../logs/machine-files.ts'
import { MixedPool } from '../mixed-pool.ts'
import { SimDisk } from '../sim-disk.ts'
import type { SimNetwork } from '../sim-net.ts'
import type { SimRandom } from '../sim-random.ts'
import type { SimServer } from '../sim-server.ts'
import type { Tally } from '../tally.ts'
import type { BackupJudge } from './backup-judge.ts'
import type { BackupPlanOptions, MachineEvent, RunItem } from './backup-plan.ts'
import { CacheMemory } from './cache-memory.ts'
import { cacheDirectory, MachineFolder } from './machine-folder.ts'
import { StepClock } from './step-clock.ts'
import type { Editor, TreeEdit } from './tree-edit.ts'
import { type Expected, WalkWitness } from './walk-witness.ts'

/** Parts that a test may replace by broken ones. */
export interface BackupMachineParts {
  folder?: (folder: CacheFolder) => CacheFolder
  grid?: (grid: BackupParts['grid'], memory: () => RunMemory) => BackupParts['grid']
  memory?: (memory: RunMemory) => RunMemory
  source?: (source: BackupSource) => BackupSource
}

export interface BackupMachineOptions {
  number: number
  clock: Clock
  random: SimRandom
  network: SimNetwork
  journal: Journal
  tally: Tally
  judge: BackupJudge
  editor: Editor
  servers: readonly SimServer[]
  wired: ReadonlySet<string>
  plan: BackupPlanOptions
  redundancy: Redundancy
  append: CapOf<'LOG-Append'>
  /** Makes the encoder of a process, which reads these files. */
  encoderOf: (files: MemoryFiles) => Encoder
  parts: BackupMachineParts
}

/** One run of the machine's process. */
interface Life {
  clock: HostClock
  grid: Grid
  files: MemoryFiles
  folder: MachineFolder
  last: Promise<void>
  underWay: Set<string>
}

/** What of a run is under way. */
interface Run {
  item: RunItem
  walk: WalkWitness | undefined
  walks: number
  opens: number
  reads: number
  callsLeft: number
}

const basis = new Uint8Array(32).fill(1)
/** Times of files are of ticks of so long. */
const tickMs = 4

export class BackupMachine {
  readonly id: string
  readonly tree: MemoryTree
  readonly disk: SimDisk
  readonly #options: BackupMachineOptions
  readonly #memory: CacheMemory
  #life: Life | undefined
  #run: Run | undefined
  #runs = 0
  /** What walks whose tree was stored saw. */
  readonly #expected: Expected[] = []
  /** What the cache surely stands for. */
  #cached: Expected | undefined

  constructor(options: BackupMachineOptions) {
    const { number, clock, random } = options
    this.#options = options
    this.id = `machine-${number}`
    this.tree = new MemoryTree(() => BigInt(clock.nowMs() - (clock.nowMs() % tickMs)) * 1_000_000n)
    this.disk = new SimDisk({ random: random.fork('disk'), latencyMs: 1 })
    const { image } = this.disk
    const home = newDirectory()
    image.setEntry(image.root, homeDirectory, home)
    image.setEntry(home, cacheDirectory.slice(homeDirectory.length + 1), newDirectory())
    image.syncDirectory(home)
    image.syncDirectory(image.root)
    this.#memory = new CacheMemory(this.disk)
  }

  get underWay(): readonly string[] {
    return [...(this.#life?.underWay ?? [])]
  }

  start(): void {
    if (this.#life !== undefined) return
    const { clock: worldClock, network, servers, wired, random, redundancy } = this.#options
    const clock = new HostClock(worldClock)
    const pool = MixedPool.of({ id: this.id, clock, network, servers, wired })
    const disk = this.disk.mount(clock)
    const files = new MemoryFiles((file) => this.#changeRead(file))
    const encoder = this.#options.encoderOf(files)
    const records = {
      ...{ pins: new DiskPins(disk), journal: new DiskJournal(disk) },
      lock: async () => async () => {},
    }
    const stateOf = files.state.bind(files)
    const parts = { peers: pool, encoder, smallEncoder: encoder, records, stateOf }
    const secret = this.#options.append.convergenceSecret ?? new Uint8Array(32)
    this.#life = {
      ...{ clock, files },
      grid: new Grid({ ...parts, clock, random, secret, redundancy }),
      folder: new MachineFolder(disk, () => this.#callTheCache()),
      last: Promise.resolve(),
      underWay: new Set(),
    }
  }

  /** The process ends, and with the power what was not synced. */
  crash(power: boolean): void {
    if (this.#life === undefined) return
    const { tally, network, judge } = this.#options
    if (this.#run !== undefined) tally.reached('machine: died at work')
    this.#life.clock.stop()
    this.#life = undefined
    this.#run = undefined
    this.#cached = undefined
    network.detach(this.id, { power })
    if (power) this.disk.cutPower()
    else this.disk.kill()
    this.#memory.died(power)
    judge.checkKeys(this.id, this.#memory)
  }

  /** What befalls it; the end of what passes is the caller's to tell of. */
  befall(event: MachineEvent): (() => void) | undefined {
    switch (event.kind) {
      case 'crash':
        this.crash(event.power)
        return () => this.start()
      case 'lose':
        this.crash(false)
        this.#memory.lose()
        this.start()
        return undefined
      case 'restore': {
        const copy = this.#memory.copy()
        return () => {
          this.crash(false)
          this.#memory.putBack(copy)
          this.start()
        }
      }
      case 'machine-disk': {
        const { fault } = event
        this.#memory.failed()
        if (fault.kind === 'disk') this.disk.arm(fault)
        this.disk.full = fault.kind === 'full'
        this.disk.readOnly = fault.kind === 'read-only'
        return () => {
          this.disk.disarm()
          this.disk.full = this.disk.readOnly = false
        }
      }
      default:
        return undefined
    }
  }

  edit(edit: TreeEdit): void {
    this.#options.editor.apply(this.tree, edit)
  }

  /** Backs up when the runs before have ended; nothing while the machine is off. */
  run(item: RunItem): void {
    const life = this.#life
    if (life === undefined) return
    const name = `run ${this.#runs++}`
    life.underWay.add(name)
    life.last = life.last.then(async () => {
      await this.#backUp(life, item, name)
      life.underWay.delete(name)
    })
    life.last.catch((error: unknown) => this.#options.judge.broken(error))
  }

  async #backUp(life: Life, item: RunItem, name: string): Promise<void> {
    const { judge, clock, journal, number } = this.#options
    if (life !== this.#life) return
    journal.write(this.id, name, { ...item, during: item.during.length })
    const run: Run = { item, walk: undefined, walks: 0, opens: 0, reads: 0, callsLeft: 0 }
    run.callsLeft = item.dies?.call ?? Infinity
    this.#run = run
    const fromMs = clock.monotonicMs()
    let failure: { error: unknown } | undefined
    let how: string
    try {
      const { snapshot, totals, count, partial, sentBytes } = await this.#runBackup(life, run, name)
      how = JSON.stringify({ seq: snapshot.seq, totals, count, partial, sentBytes })
    } catch (error) {
      failure = { error }
      how = isGridError(error) ? `${error.code} ${error.message}` : (error as Error).message
    }
    if (life !== this.#life) return
    this.#run = undefined
    journal.write(this.id, name, { how })
    const span = { fromMs, toMs: clock.monotonicMs() }
    if (life.files.openCount > 0) judge.left(`${this.id} has files of its tree open`)
    if (life.folder.openFiles > 0) judge.left(`${this.id} has files of its cache open`)
    if (failure === undefined) {
      this.#cached = this.#expected.at(-1)
      this.#memory.remembered()
      judge.succeeded(span)
      judge.checkKeys(this.id, this.#memory)
    } else {
      this.#cached = undefined
      judge.failed(number, failure.error, span)
    }
  }

  #runBackup(life: Life, run: Run, name: string): ReturnType<typeof runBackup> {
    const { append, parts, number } = this.#options
    const { item } = run
    let memory: RunMemory | undefined
    const steps = new StepClock(life.clock)
    const grid = this.#witnessed(life.grid, run)
    const report = ({ code, path }: Notice): void => {
      if (code !== 'changed') run.walk?.left.add(Buffer.from(path).toString('latin1'))
    }
    const root = utf8('/home/ann')
    const facts = {
      host: `host ${number}`,
      label: name,
      tags: [],
      tool: 'sim',
      root,
      paths: [root],
    }
    const options: BackupOptions = { append, facts, signal: new AbortController().signal }
    if (item.checkpointSteps > 0) options.checkpointMs = steps.waitMs
    return runBackup(
      {
        grid: parts.grid?.(grid, () => memory!) ?? grid,
        clock: steps,
        random: this.#options.random,
        openMemory: async ({ forget }) => (memory = await this.#openMemory(life, forget)),
        source: () => {
          // a walk that begins again comes further, so that it ends
          const limit = item.checkpointSteps * 2 ** run.walks++
          run.walk = new WalkWitness({
            ...{ tree: this.tree, files: life.files },
            onStep: (count) => {
              if (limit > 0 && count >= limit) steps.fire()
              this.#change('step', count)
            },
            onOpen: (path, entry) => {
              const told = this.#memory.isTold(path, entry)
              if (told) this.#options.judge.left(`B6: ${this.id} reads ${path} again`)
              this.#change('open', run.opens++)
            },
          })
          return parts.source?.(run.walk.source()) ?? run.walk.source()
        },
        report,
      },
      options,
    )
  }

  async #openMemory(life: Life, forget: boolean): Promise<RunMemory> {
    const { random, plan, parts, judge } = this.#options
    const noted: Random = {
      bytes: (length) => this.#memory.noteKey(random.bytes(length)),
    }
    const folder = parts.folder?.(life.folder) ?? life.folder
    const { keys, flushEvery } = plan
    if (forget) this.#memory.gaveUp()
    const memory = await RunMemory.open(folder, {
      ...{ random: noted, basis, described: basis, keys, forget },
    })
    // every snapshot stands on an object
    const isKnown = (memory.before?.count ?? 0) > 0
    if (!isKnown) this.#cached = undefined
    if (!isKnown && !forget && this.#memory.mustRemember)
      judge.left(`B6: ${this.id} has forgotten a run that ended well`)
    const witnessed = this.#memory.witness(
      memory,
      {
        flushEvery,
        keepsPaths: keys === 'kept',
        lives: () => life === this.#life && this.disk.isMounted,
      },
      judge,
    )
    return parts.memory?.(witnessed) ?? witnessed
  }

  #witnessed({ trees, logs }: Grid, run: Run): BackupParts['grid'] {
    const { judge } = this.#options
    const append: typeof logs.append = async (cap, facts, options) => {
      const expected = run.walk!.expect(this.#expected, this.#cached)
      this.#expected.push(expected)
      judge.appending(facts.cap, expected)
      const report = await logs.append(cap, facts, options)
      judge.committed(report.id)
      this.#memory.committed()
      // the next walk's cache is this one's, if it comes to be
      this.#cached = undefined
      return report
    }
    const { bundleFiles } = run.item
    const bundled = bundleFiles === 0 ? trees : smallBundles(trees, bundleFiles)
    return { trees: bundled, logs: altered(logs, { append }) }
  }

  /** What the plan has come in between. */
  #change(at: 'step' | 'open', count: number): void {
    const run = this.#run
    if (run === undefined || run.walks > 1) return
    for (const change of run.item.during) {
      if (change.at === at && change.count === count) this.edit(change.edit)
    }
  }

  /** As `#change`, of a file that is about to be read, which is read again then. */
  #changeRead(file: MemoryFile): void {
    const run = this.#run
    if (run === undefined || run.walks > 1) return
    const read = run.reads++
    for (const { at, count, edit } of run.item.during) {
      if (at !== 'read' || edit.edit !== 'overwrite' || (read !== count && read !== count + 1))
        continue
      const path = this.tree.pathOf(file)
      if (path !== undefined) this.edit({ ...edit, path, bytes: edit.bytes + read - count })
    }
  }

  /** The process is about to change its cache. */
  #callTheCache(): void {
    const run = this.#run
    if (run === undefined || --run.callsLeft !== 0) return
    const { power, forMs } = run.item.dies!
    const life = this.#life
    // nothing that it does from now on has any effect
    this.disk.kill()
    this.#options.clock.after(0, () => {
      if (life !== this.#life) return
      this.crash(power)
      this.#options.clock.after(forMs, () => this.start())
    })
  }
}

/** Ends a bundle after so many files, as those of a large tree are ended when they are full. */
function smallBundles(trees: TreeStore, bundleFiles: number): TreeStore {
  const ending = <T>(store: FileStore<T>): FileStore<T> => {
    let added = 0
    return altered(store, {
      add: async (file: FileToStore<T>) => {
        const taken = await store.add(file)
        if (++added % bundleFiles === 0) await store.endBundle()
        return taken
      },
    })
  }
  return altered(trees, {
    write: (work, options) =>
      trees.write((writer) => {
        const files: typeof writer.files = (how) => ending(writer.files(how))
        return work(altered(writer, { files }))
      }, options),
  })
}
