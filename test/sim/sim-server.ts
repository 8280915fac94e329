/**
 * One server of a simulated grid: a machine with a disk that outlives the processes on it, and what
 * befalls it. Which faults are on decides its state; when one ends the others still hold.
 */
import type { Clock } from '../../src/base/clock.ts'
import type { Disk } from '../../src/base/disk.ts'
import { isGridError } from '../../src/base/errors.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { FaultyPeer, type Fault as PeerFault } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { StorageIndex, StoragePeer } from '../../src/storage/peer.ts'
import type { ShareStore } from '../../src/storage/share-store.ts'
import type { DirectServer } from './direct-peer.ts'
import { newDirectory, type DirectoryNode } from './disk-image.ts'
import type { Fault } from './fault.ts'
import { HostClock } from './host-clock.ts'
import { Ledger, storeRoot } from './ledger.ts'
import type { Lie } from './lies.ts'
import { LogLedger } from './logs/log-ledger.ts'
import type { LogLie } from './logs/log-lies.ts'
import type { SignedEntry } from './logs/log-truth.ts'
import type { FaultEvent } from './plan.ts'
import { blockBytes, SimDisk } from './sim-disk.ts'
import type { SimRandom } from './sim-random.ts'
import type { Tally } from './tally.ts'
import { WitnessPeer } from './witness-peer.ts'

/** Parts that a test may replace by broken ones, to see that the simulation finds it out. */
export interface ServerParts {
  disk?: (disk: Disk) => Disk
  store?: (store: ShareStore) => ShareStore
  peer?: (peer: StoragePeer) => StoragePeer
}

/** What a process of a server finds as it starts. */
export interface Premises {
  id: string
  disk: Disk
  store: ShareStore
  /** Of the key that signs. */
  seed: Uint8Array
  clock: HostClock
  reserveBytes: number
}

export interface SimServerOptions {
  id: string
  clock: Clock
  random: SimRandom
  diskBytes: number
  parts: ServerParts
  /** Of the key that signs its receipts. */
  seed: Uint8Array
  /** The fault behind the name of a lie. */
  faultOf: (lie: Lie | LogLie) => PeerFault
  /** How long after a start that failed the next is tried; ten seconds unless told. */
  restartMs?: number
  /** By how much its wall clock is wrong from the start; not at all unless told. */
  skewMs?: number
  /** Opens the store and what else is kept, and gives the peer over it; shares and logs unless told. */
  open?: (premises: Premises) => Promise<StoragePeer>
  /** The process has ended, with the power or without; or the power went while none ran. */
  onEnd?: (power: boolean) => void
  /** Whether a share that was acknowledged may be deleted by now. */
  mayBeGone?: (storageIndex: StorageIndex) => boolean
  /** What is kept here that may rot. */
  rots: readonly ('shares' | 'logs')[]
  tally: Tally
  /** It has taken an entry of a log now, and not been handed it late. */
  onEntry?: (entry: SignedEntry, server: SimServer) => void
  /** The process has started: lets others connect to it, over the network if it is wired. */
  onStart: (server: SimServer, peer: StoragePeer, clock: HostClock) => void
  /** The process has ended, with the power or without. */
  onStop: (power: boolean) => void
  onEvent: (what: string, facts?: unknown) => void
  onViolation: (what: string) => void
}

/** One run of the server's process. */
interface Life {
  clock: HostClock
  peer?: FaultyPeer
  witness?: WitnessPeer
  mourners: Set<() => void>
}

const reserveBytes = 4 * blockBytes

/** A server of shares and of logs. */
async function openShares({ disk, seed, ...premises }: Premises): Promise<StoragePeer> {
  const logs = new DiskLogStore({ disk, root: storeRoot })
  await premises.store.open()
  await logs.open()
  return new LocalPeer({ ...premises, logs: { store: logs, seed } })
}

export class SimServer implements DirectServer {
  readonly id: string
  readonly disk: SimDisk
  readonly ledger: Ledger
  readonly #options: SimServerOptions
  readonly #random: SimRandom
  readonly #faults = new Set<FaultEvent>()
  #life: Life | undefined
  /** Bytes of files that are no shares: the least since the oldest put under way began. */
  #leastOthersBytes = 0
  /** In which way it lies, once it does. */
  lie: Lie | LogLie | undefined
  readonly logLedger: LogLedger
  readonly #snapshots = new Map<FaultEvent, DirectoryNode>()

  constructor(options: SimServerOptions) {
    this.#options = options
    this.id = options.id
    this.#random = options.random.fork('peer')
    this.disk = new SimDisk({
      random: options.random.fork('disk'),
      totalBytes: options.diskBytes,
      latencyMs: options.random.pick([0.1, 1, 10]),
      onFault: (kind) => options.tally.add(`disk: ${kind}`),
    })
    const { image } = this.disk
    image.setEntry(image.root, 'node', newDirectory())
    image.syncDirectory(image.root)
    this.ledger = new Ledger(this.disk, options.clock, options.mayBeGone)
    this.logLedger = new LogLedger(this.disk)
  }

  get peer(): StoragePeer | undefined {
    return this.#life?.peer
  }

  onceDead(action: () => void): () => void {
    const mourners = this.#life?.mourners
    mourners?.add(action)
    return () => mourners?.delete(action)
  }

  /** Starts a process, which readies the store and opens for business. */
  async start(): Promise<void> {
    const { clock: worldClock, tally, parts, onEvent, onStart } = this.#options
    const life: Life = { clock: new HostClock(worldClock), mourners: new Set() }
    this.#life = life
    this.#settle()
    const mounted = this.disk.mount(life.clock)
    const disk = parts.disk?.(mounted) ?? mounted
    const plain = new DiskStore({ disk, root: storeRoot })
    const store = parts.store?.(plain) ?? plain
    const { id, seed, open = openShares } = this.#options
    const leftovers = this.unfinished
    let honest: StoragePeer
    try {
      honest = await open({ id, disk, store, seed, clock: life.clock, reserveBytes })
    } catch (error) {
      onEvent('cannot start', { error: (error as Error).message })
      tally.reached('server: started after a failure')
      life.clock.after(this.#options.restartMs ?? 10_000, () => {
        this.stop(false)
        void this.start()
      })
      return
    }
    if (leftovers > this.unfinished) tally.reached('server: unfinished share removed')
    life.witness = this.#witness(parts.peer?.(honest) ?? honest)
    life.peer = new FaultyPeer({
      peer: life.witness,
      clock: life.clock,
      random: this.#random,
      fault: this.#lying(),
    })
    onEvent('started')
    onStart(this, life.peer, life.clock)
  }

  /** The process ends, and with the power what was not synced. */
  stop(power: boolean): void {
    const life = this.#life
    this.#life = undefined
    if (life !== undefined) {
      life.clock.stop()
      if ((life.witness?.puts ?? 0) > 0) this.#options.tally.reached('server: died during a put')
      for (const mourner of life.mourners) mourner()
      this.#options.onStop(power)
    }
    if (power) {
      if (this.disk.image.unsyncedCount > 0)
        this.#options.tally.reached('server: lost what was not synced')
      this.disk.cutPower()
    } else {
      this.disk.kill()
    }
    this.#options.onEnd?.(power)
    for (const wrong of [...this.ledger.audit(), ...this.logLedger.audit()]) {
      this.#options.onViolation(`I1: after a crash ${wrong}`)
    }
  }

  begin(event: FaultEvent): void {
    this.#faults.add(event)
    if (event.fault.kind === 'rollback') this.#snapshots.set(event, this.disk.image.snapshot())
    this.#strike(event.fault)
    this.#settle()
  }

  end(event: FaultEvent): void {
    if (!this.#faults.delete(event)) return
    if (event.fault.kind === 'disk') this.disk.disarm()
    if (event.fault.kind === 'rollback') this.#rollBack(event)
    this.#settle()
    if (event.fault.kind === 'disk' || event.fault.kind === 'read-only') this.#mend()
    if (this.#life === undefined && !this.has('kill') && !this.has('power')) void this.start()
  }

  /** By how much its wall clock is ahead of the true time. */
  get skewMs(): number {
    const always = this.#options.skewMs ?? 0
    return this.faults('clock').reduce((sum, { jumpMs }) => sum + jumpMs, always)
  }

  /** Whether anything is wrong with it now but its clock. */
  get isUnwell(): boolean {
    return [...this.#faults].some(({ fault }) => fault.kind !== 'clock')
  }

  /** Whether a fault of this kind is on. */
  has(kind: Fault['kind']): boolean {
    return [...this.#faults].some(({ fault }) => fault.kind === kind)
  }

  /** The faults of one kind that are on. */
  faults<Kind extends Fault['kind']>(kind: Kind): Extract<Fault, { kind: Kind }>[] {
    return [...this.#faults].flatMap(({ fault }) =>
      fault.kind === kind ? [fault as Extract<Fault, { kind: Kind }>] : [],
    )
  }

  /** Somebody starts the machine from an old image of its disk. */
  #rollBack(event: FaultEvent): void {
    const snapshot = this.#snapshots.get(event)
    this.#snapshots.delete(event)
    if (snapshot === undefined) return
    this.stop(false)
    this.disk.image.restore(snapshot)
    this.ledger.forget()
    this.logLedger.forget()
  }

  /** What a fault does once, when it begins. */
  #strike(fault: Fault): void {
    if (fault.kind === 'kill' || fault.kind === 'power') this.stop(fault.kind === 'power')
    if (fault.kind === 'disk') this.disk.arm(fault)
    if (fault.kind === 'rot') {
      const path = this.disk.rot(fault.rot, (each) =>
        this.#options.rots.some((kept) => each.startsWith(`/${storeRoot}/${kept}/`)),
      )
      if (path !== undefined) {
        this.ledger.spoil(path)
        this.logLedger.spoil(path)
        this.#options.tally.add(`rot: ${fault.rot}`)
      }
    }
    if (fault.kind === 'lie') {
      if (this.lie !== undefined) return
      this.lie = fault.lie
      this.#options.tally.add(`lie: ${fault.lie}`)
      const peer = this.#life?.peer
      if (peer !== undefined) peer.fault = this.#lying()
    }
  }

  /**
   * Bytes that shares leave free, at least, on a disk with what else was on it at any time since the
   * oldest put under way began: logs and holds may grow into the reserve meanwhile. Promises are in bytes
   * and files in blocks, so each put under way may be off by one.
   */
  #lookAtRoom(isFirst: boolean): number {
    const { image, totalBytes } = this.disk
    const used = (path?: string): number => image.usedBytes(blockBytes, path)
    const othersBytes = used(`${storeRoot}/holds`) + used(`${storeRoot}/logs`)
    this.#leastOthersBytes = Math.min(isFirst ? Infinity : this.#leastOthersBytes, othersBytes)
    const sharesBytes = used() - othersBytes
    const slackBytes = (this.#life?.witness?.puts ?? 0) * blockBytes
    return totalBytes - sharesBytes - this.#leastOthersBytes + slackBytes
  }

  #witness(peer: StoragePeer): WitnessPeer {
    const { clock, tally, onViolation } = this.#options
    return new WitnessPeer({
      peer,
      clock,
      onAsked: (isFirst) => this.#lookAtRoom(isFirst),
      onStored: (storageIndex, shareNumber, { askedMs, outcome }) => {
        const wrong = this.ledger.acknowledge(storageIndex, shareNumber, askedMs)
        if (wrong !== undefined) onViolation(`I3: acknowledged, and ${wrong}`)
        if (outcome === 'stored' && !this.disk.full && this.#lookAtRoom(false) < reserveBytes) {
          onViolation('I7: a share was stored in the space kept free')
        }
      },
      onAppended: (entry) => {
        const wrong = this.logLedger.acknowledge(entry)
        if (wrong !== undefined) onViolation(`I3: a receipt was given, and ${wrong}`)
        this.#options.onEntry?.(entry, this)
      },
      onRefused: (error) => {
        if (isGridError(error, 'E_READ_ONLY')) tally.reached('server: became read-only')
        if (isGridError(error, 'E_FULL')) tally.reached('server: refused a share for want of space')
      },
    })
  }

  /** The operator has mended the disk, and starts the server anew. */
  #mend(): void {
    if (this.#life === undefined) return
    this.stop(false)
    void this.start()
  }

  /** Brings disk and clock into the state that the faults on now call for. */
  #settle(): void {
    this.disk.readOnly = this.has('read-only')
    this.disk.full = this.has('full')
    const stalls = [...this.#faults].filter(({ fault }) => fault.kind === 'stall')
    this.disk.stalledUntilMs = Math.max(0, ...stalls.map(({ atMs, forMs }) => atMs + forMs))
    const clock = this.#life?.clock
    if (clock === undefined) return
    clock.skewMs = this.skewMs
    if (this.has('freeze')) clock.freeze()
    else clock.thaw()
  }

  #lying(): PeerFault | undefined {
    return this.lie === undefined ? undefined : this.#options.faultOf(this.lie)
  }

  /** Shares on the disk that are neither finished nor removed. */
  get unfinished(): number {
    const incoming = this.disk.image.find(`${storeRoot}/incoming`)
    return incoming?.kind === 'directory' ? incoming.live.size : 0
  }
}
