/** A machine whose disk outlives its processes, on virtual time, and the store that lies on it. */
import type { Disk } from '../../src/base/disk.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SimRandom } from '../sim/sim-random.ts'

const root = 'home/storage'

export class Machine {
  readonly random: SimRandom
  readonly clock: SimClock
  readonly disk: SimDisk

  constructor(seed: string, totalBytes: number = 2 ** 30) {
    this.random = new SimRandom(seed)
    this.clock = new SimClock(this.random.fork('clock'))
    this.disk = new SimDisk({ random: this.random.fork('disk'), totalBytes })
  }

  /** Makes the directory that the store is to lie in, as the owner of the machine does. */
  async init(): Promise<this> {
    const disk = this.disk.mount(this.clock)
    await this.run(disk.makeDirectory('home'))
    await this.run(disk.syncDirectory(''))
    return this
  }

  /** A new process with a store, not yet open; `around` may put something between it and the disk. */
  start(around: (disk: Disk) => Disk = (disk) => disk): DiskStore {
    return new DiskStore({ disk: around(this.disk.mount(this.clock)), root })
  }

  /** The store as a new process finds it. */
  async restart(): Promise<DiskStore> {
    const store = this.start()
    await this.run(store.open())
    return store
  }

  /** Lets time pass until nothing is left to happen, and gives what came of `work`. */
  async run<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {})
    await this.clock.run()
    return work
  }

  /** Names of unfinished shares; ends the process. */
  async incoming(): Promise<string[]> {
    return this.run(this.disk.mount(this.clock).readDirectory(`${root}/incoming`))
  }
}
