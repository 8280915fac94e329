/** Devices that write one log in memory, each with a file system over the same trees. */
import { attenuate } from '../../src/caps/attenuate.ts'
import { GridError } from '../../src/base/errors.ts'
import { FileTree } from '../../src/files/file-tree.ts'
import { VersionGraph } from '../../src/files/version-graph.ts'
import type { VersionLog } from '../../src/files/version-log.ts'
import { fetchBody, openSnapshot } from '../../src/log/bodies.ts'
import type { ReadHeader } from '../../src/log/entry.ts'
import type { Snapshot } from '../../src/log/snapshot-body.ts'
import type { Device } from '../../src/log/device.ts'
import type { LogReader } from '../../src/log/log-reader.ts'
import type { LogPeer } from '../../src/log/log-peer.ts'
import { World } from '../log/world.ts'
import { contentsOf, editOf, MemoryTrees } from './memory-trees.ts'

class WorldLog implements VersionLog {
  readonly #world: World
  readonly #peers: () => readonly LogPeer[]
  readonly #reader: LogReader
  readonly #name: string
  #device: Device | undefined
  isPruned: (seq: number) => boolean = () => false

  constructor(world: World, name: string, peers: () => readonly LogPeer[]) {
    this.#world = world
    this.#name = name
    this.#peers = peers
    this.#reader = world.reader()
  }

  read: VersionLog['read'] = (options) => this.#reader.read(options)

  writing: VersionLog['writing'] = async (work, options) => {
    const device = (this.#device ??= await this.#world.device(this.#name))
    await device.writer.refresh(options)
    return work(device.writer.view, async (snapshot) => {
      const { cap, totals } = snapshot
      const check = { cap: attenuate(cap, 'DIR-CHK-Verifier'), totals }
      this.#world.clock.wallMs += 60_000
      const report = await device.append(snapshot, check, options)
      if (report.outcome === 'committed') return report
      throw new GridError('E_NOT_DURABLE', 'too few took it')
    })
  }

  open: VersionLog['open'] = async (entry) => {
    if (this.isPruned(entry.fields.seq)) throw new GridError('E_ABSENT', 'it was pruned')
    return openEntry(this.#world, this.#peers(), entry)
  }
}

async function openEntry(
  { clock, cap }: World,
  peers: readonly LogPeer[],
  entry: ReadHeader,
): Promise<Snapshot> {
  const body = await fetchBody(entry, peers, { clock })
  return openSnapshot(entry, body, attenuate(cap, 'LOG-Read').readSeed)
}

/** Several writers of one tree. */
export class Writers {
  readonly world: World = new World(4)
  readonly trees: MemoryTrees = new MemoryTrees()
  readonly #names: readonly string[]
  readonly files: ReadonlyMap<string, FileTree>

  private constructor(names: readonly string[]) {
    this.#names = names
    this.files = new Map(names.map((name) => [name, this.reader(name)]))
  }

  static async of(...names: string[]): Promise<Writers> {
    const writers = new Writers(names)
    await writers.world.found(...names)
    return writers
  }

  /** A file system that has read nothing yet. */
  reader(
    name: string = this.#names[0],
    isPruned: (seq: number) => boolean = () => false,
  ): FileTree {
    const { world, trees } = this
    const log = new WorldLog(world, name, () => world.peers)
    log.isPruned = isPruned
    return new FileTree({ trees, log, clock: world.clock, host: name, tool: 'test' })
  }

  /** Makes changes by one writer, which sees what there is. */
  async put(name: string, ...changes: [path: string, text: string | undefined][]): Promise<void> {
    await this.files
      .get(name)!
      .change(async () => changes.map(([path, text]) => editOf(path, text)))
  }

  /** Makes changes by several that do not see each other. */
  async atOnce(changes: Record<string, [path: string, text: string | undefined][]>): Promise<void> {
    let waiting = Object.keys(changes).length
    let go = (): void => {}
    const all = new Promise<void>((resolve) => (go = resolve))
    const works = Object.entries(changes).map(([name, list]) =>
      this.files.get(name)!.change(async () => {
        if (--waiting === 0) go()
        await all
        return list.map(([path, text]) => editOf(path, text))
      }),
    )
    await Promise.all(works)
  }

  /** The versions as they are now. */
  async graph(): Promise<VersionGraph> {
    const { world } = this
    const view = await world.reader().read()
    return new VersionGraph(view, (entry) => openEntry(world, world.peers, entry), new Map())
  }

  /** What one who has just come sees. */
  async seen(name?: string): Promise<Record<string, string>> {
    const { view } = await this.reader(name).read()
    return Object.fromEntries(await contentsOf(view.reader, view.root))
  }
}
