/** Machines with backups, servers that keep holds, and a clock that goes as a test likes. */
import { type BackupOptions, type BackupReport, runBackup } from '../../../src/backup/backup.ts'
import { MemoryCacheFolder } from '../../../src/backup/memory/memory-cache-folder.ts'
import { RunMemory } from '../../../src/backup/memory/run-memory.ts'
import { type PlannedPrune, planOf, type PruneParts } from '../../../src/backup/prune/prune.ts'
import type { RetentionPolicy } from '../../../src/backup/prune/policy.ts'
import { toHex } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { noTrace } from '../../../src/base/trace.ts'
import type { CapOf } from '../../../src/caps/cap.ts'
import { InlineEncoder } from '../../../src/encoding/inline-encoder.ts'
import { openErasureCode } from '../../../src/encoding/open-code.ts'
import type { Candidate } from '../../../src/node/peers/candidate.ts'
import { syncFileReader } from '../../../src/node/encoder/file-source.ts'
import type { FileContent } from '../../../src/node/content/file-content.ts'
import { Grid } from '../../../src/node/grid.ts'
import type { LogSnapshot } from '../../../src/node/logs/readable-log.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { asClient } from '../../suites/as-client.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { directoryOfCap } from '../../../src/tree/directory-cap.ts'
import { listDirectory } from '../../../src/tree/directory-reader.ts'
import type { NodeName } from '../../../src/tree/node-ref.ts'
import { altered } from '../../sim/altered.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { MemoryTree, shownContent } from '../memory-tree.ts'

const random = new SystemRandom()
const encoder = new InlineEncoder(openErasureCode(), syncFileReader)
const basis = new Uint8Array(32).fill(7)
const facts = { host: 'h', label: 'l', paths: [], root: new Uint8Array(0), tags: [], tool: 't' }

/** A device of the log, with what it backs up and what it remembers. */
export class Machine {
  readonly tree: MemoryTree = new MemoryTree()
  folder: MemoryCacheFolder = new MemoryCacheFolder()
  readonly append: CapOf<'LOG-Append'>
  /** What its system says; that of the world unless its owner sets it. */
  clock: Clock
  #grid: Grid
  readonly #world: PruneWorld

  constructor(world: PruneWorld, append: CapOf<'LOG-Append'>) {
    this.#world = world
    this.clock = world.clock
    this.#grid = world.client()
    this.append = append
  }

  get grid(): Grid {
    return this.#grid
  }

  async backUp(options: Partial<BackupOptions> = {}): Promise<BackupReport> {
    const { clock } = this
    // a machine of its own clock dates its entries by it
    if (clock !== this.#world.clock) {
      await this.#grid.close()
      this.#grid = this.#world.client(clock)
    }
    const keys = 'kept'
    return runBackup(
      {
        ...{ grid: this.grid, clock, random },
        openMemory: ({ forget }) =>
          RunMemory.open(this.folder, { random, basis, described: basis, keys, forget }),
        source: () => this.tree.source(),
        report: () => undefined,
      },
      { append: this.append, facts, signal: new AbortController().signal, ...options },
    )
  }
}

export class PruneWorld {
  readonly clock: MovedClock = new MovedClock()
  readonly servers: LocalPeer[] = []
  readonly stores: MemoryStore[] = []
  readonly candidates: Candidate[] = []
  admin!: CapOf<'LOG-Admin'>
  machine!: Machine
  grid!: Grid

  static async open(servers = 3): Promise<PruneWorld> {
    const world = new PruneWorld()
    for (let i = 0; i < servers; i++) await world.#addServer(i)
    world.grid = world.client()
    const { admin, append } = await world.grid.logs.create({ device: 'laptop' })
    world.admin = admin
    world.machine = new Machine(world, append)
    return world
  }

  /** Another process that uses the same servers. */
  client(clock: Clock = this.clock): Grid {
    const peers = {
      ready: async () => {},
      candidates: () => this.candidates,
      note: () => undefined,
      nickname: (id: string) => id,
      close: async () => {},
    }
    const secret = new Uint8Array(32).fill(1)
    const coding = { encoder, smallEncoder: encoder, redundancy: { k: 1, happy: 2, n: 3 } }
    return new Grid({ clock, random, peers, secret, clientId: 'client', ...coding })
  }

  async another(label: string): Promise<Machine> {
    const append = await this.grid.logs.grant(this.admin, { label })
    return new Machine(this, append)
  }

  async #addServer(i: number): Promise<void> {
    const seed = new Uint8Array(32).fill(i + 1)
    const id = peerIdOf(publicKeyOfSeed(seed))
    const store = new MemoryStore({ capacityBytes: 2 ** 28 })
    await store.open()
    const logs = { store: new MemoryLogStore(), seed }
    const holds = { open: memoryHolds, random }
    const { clock } = this
    const peer = new LocalPeer({ id, store, logs, holds, clock, trace: noTrace, reserveBytes: 0 })
    this.servers.push(peer)
    this.stores.push(store)
    this.candidates.push({ id, peer, domain: undefined, accepts: true })
  }

  /** Puts something in front of every server. */
  wrap(wrapper: (peer: StoragePeer) => Partial<StoragePeer>): void {
    for (const [i, candidate] of this.candidates.entries()) {
      const peer = asClient(this.servers[i], 'client')
      this.candidates[i] = { ...candidate, peer: altered(peer, wrapper(peer)) }
    }
  }

  /** Records that the newest snapshot of the log has passed a restore test. */
  async test(): Promise<void> {
    const tested = (await this.snapshots()).map(({ id }) => ({ id, testedMs: this.clock.nowMs() }))
    const admin = await this.grid.logs.admin(this.admin)
    await admin.checkpoint(tested.slice(-1))
  }

  async parts(cap: CapOf<'LOG-Admin' | 'LOG-Prune'> = this.admin): Promise<PruneParts> {
    const { logs, trees } = this.grid
    return {
      account: await logs.account(cap),
      log: logs.reader(cap),
      reader: trees,
      clock: this.clock,
      release: (release, options) => logs.release(cap, release, options),
    }
  }

  async plan(policy: RetentionPolicy = {}): Promise<PlannedPrune> {
    return planOf(await this.parts(), policy)
  }

  /** Lets servers delete what is due, with their operators' consent. */
  async sweep(): Promise<number> {
    let deleted = 0
    for (const server of this.servers)
      deleted += (await server.sweep({ consentShares: Infinity })).deletedShares
    return deleted
  }

  /** All shares of all servers, by server. */
  async shareCounts(): Promise<number[]> {
    return Promise.all(this.stores.map(async (store) => (await store.totals()).shareCount))
  }

  /** In the order of the times that their devices give. */
  async snapshots(): Promise<LogSnapshot[]> {
    const log = this.client().logs.reader(this.admin)
    const found: LogSnapshot[] = []
    for await (const snapshot of log.snapshots(await log.read())) found.push(snapshot)
    return found
  }

  /** Path and content of all files of a snapshot, as `MemoryTree.files` gives them. */
  async files({ snapshot, id }: LogSnapshot): Promise<[path: string, content: string][]> {
    if (snapshot === undefined) throw new Error(`cannot open ${toHex(id)}`)
    const found: [string, string][] = []
    await this.#list(this.client(), directoryOfCap(snapshot.cap), '', found)
    return found.sort()
  }

  async #list(
    { trees }: Grid,
    directory: NodeName,
    above: string,
    found: [string, string][],
  ): Promise<void> {
    for await (const entry of listDirectory(trees, directory)) {
      const path = `${above}${Buffer.from(entry.name).toString('latin1')}`
      if (entry.kind === 'directory') {
        await this.#list(this.client(), entry.content, `${path}/`, found)
      } else if (entry.kind !== 'symlink') {
        const pieces: Uint8Array[] = []
        for await (const piece of trees.readContent(entry as FileContent)) pieces.push(piece)
        found.push([path, shownContent(Buffer.concat(pieces))])
      }
    }
  }
}
