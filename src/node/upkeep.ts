/**
 * Check, repair, rebalance and renewal of what caps stand on: all of it with verify caps, so that who
 * does it can read nothing. Reachable as `grid.upkeep`.
 */
import type { Clock } from '../base/clock.ts'
import { heardByMany } from '../base/deadline.ts'
import { GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Cap } from '../caps/cap.ts'
import type { Encoder } from '../encoding/encoder.ts'
import type { ShareStore } from '../storage/share-store.ts'
import type { SliceReader } from '../tree/slice-reader.ts'
import { WalkMemory } from '../tree/verify-walk.ts'
import type { Candidate } from './peers/candidate.ts'
import { type CheckDepth, checkObjects, type FoundObject, usualDepth } from './check/check-run.ts'
import type { CheckableObject } from './check/object-check.ts'
import { type Hidden, objectsOf, verifierOf } from './check/objects-of-cap.ts'
import type { WholeCheckContext } from './check/whole-check.ts'
import type { Logs } from './logs/logs.ts'
import { type FolderSweep, type FolderSweepOptions, sweepFolders } from './peers/folder-sweep.ts'
import type { PeerHealth } from './peers/peer-health.ts'
import type { PeerPool } from './peers/peer-pool.ts'
import { type DrainReport, drainStore } from './repair/drain-store.ts'
import { type LocalRepair, repairFromFile } from './repair/local-source.ts'
import type { MendGoal } from './repair/mend-object.ts'
import { renewLeases, type RenewReport } from './repair/renew-leases.ts'
import { type RepairedObject, repairObjects } from './repair/repair-run.ts'

export interface UpkeepParts {
  clock: Clock
  random: Random
  peers: PeerPool
  health: PeerHealth
  encoder: Encoder
  smallEncoder: Encoder
  reader: SliceReader
  logs: Logs
  /** Convergence secret of the account, 32 bytes. */
  secret: Uint8Array
}

export interface UpkeepOptions {
  /** A hundredth of all shares unless told. */
  depth?: CheckDepth | undefined
  /** Told of what could not be looked into. */
  onHidden?: ((hidden: Hidden) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface MendOptions extends UpkeepOptions {
  /** `missing` unless told. */
  goal?: MendGoal | undefined
  /** Objects that have more shares than this are left alone; unless told, those that have all. */
  atMost?: ((object: CheckableObject) => number) | undefined
}

export class Upkeep {
  readonly #parts: UpkeepParts

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Every server that is asked. */
  candidates(): Candidate[] {
    return this.#parts.peers.candidates()
  }

  /**
   * Checks every object that caps stand on, each once, and yields what is found in batches. Stronger
   * caps are weakened first.
   *
   * @throws E_CAP_WEAK for a cap that does not let its holder check
   */
  async *check(caps: readonly Cap[], options: UpkeepOptions = {}): AsyncGenerator<FoundObject[]> {
    const { depth = usualDepth } = options
    const objects = this.objects(caps, options)
    const given = heardByMany(options)
    await this.#parts.peers.ready(given)
    yield* checkObjects(this.#context, this.candidates(), objects, depth, given)
  }

  /** Checks in the same way, mends what lacks shares and servers that lack a log, and yields what became of each object. */
  async *repair(caps: readonly Cap[], options: MendOptions = {}): AsyncGenerator<RepairedObject[]> {
    const { depth = usualDepth, goal = 'missing', atMost } = options
    const objects = this.#objects(caps, options, true)
    const given = heardByMany(options)
    await this.#parts.peers.ready(given)
    const run = { goal, depth, atMost, ...given }
    yield* repairObjects(this.#context, this.candidates(), objects, run)
  }

  /**
   * Repairs a file that was put by this account from the file itself, an open one. See local-source.ts.
   *
   * @throws E_USAGE for a cap of something else than a file; E_FILE where it is another file's
   */
  async repairFrom(
    cap: Cap,
    file: { fd: number; sizeBytes: number },
    options: { signal?: AbortSignal } = {},
  ): Promise<LocalRepair> {
    const verifier = verifierOf(cap)
    if (verifier?.type !== 'CHK-Verifier' || verifier.offsetBytes !== 0)
      throw new GridError('E_USAGE', 'only a file that was put by itself is repaired from a file')
    const given = heardByMany(options)
    await this.#parts.peers.ready(given)
    const secrets = [this.#parts.secret]
    const source = { input: file, secrets, candidates: this.candidates() }
    return repairFromFile(this.#context, verifier, source, given)
  }

  /** Puts what the server `ownId` keeps in `store`, open, onto other servers. See drain-store.ts. */
  async drain(
    store: ShareStore,
    ownId: string,
    options: { signal?: AbortSignal; onProgress?: (report: DrainReport) => void } = {},
  ): Promise<DrainReport> {
    const given = heardByMany(options)
    await this.#parts.peers.ready(given)
    const others = this.candidates().filter(({ id }) => id !== ownId)
    return drainStore(this.#context, store, others, { ...options, ...given })
  }

  /**
   * Prolongs the leases of these objects at every server, but for those of `except`, by their peer ids.
   * Servers that do not are in the report.
   */
  async renew(
    objects: readonly CheckableObject[],
    { except, ...options }: { except?: ReadonlyMap<string, unknown>; signal?: AbortSignal } = {},
  ): Promise<RenewReport> {
    const given = heardByMany(options)
    await this.#parts.peers.ready(given)
    const asked = this.candidates().filter(({ id }) => except?.has(id) !== true)
    return renewLeases(this.#context, asked, objects, given)
  }

  /** Deletes what is due in the folders of an embedded grid; does nothing where there are none. See folder-sweep.ts. */
  sweepFolders(options: FolderSweepOptions = {}): Promise<FolderSweep> {
    const { clock, peers } = this.#parts
    return sweepFolders(peers.folders ?? [], clock, options)
  }

  /** Yields every object that caps stand on, each once. Throws E_CAP_WEAK before the first. */
  objects(caps: readonly Cap[], options: UpkeepOptions = {}): AsyncGenerator<CheckableObject> {
    return this.#objects(caps, options, false)
  }

  #objects(
    caps: readonly Cap[],
    options: UpkeepOptions,
    mendsLogs: boolean,
  ): AsyncGenerator<CheckableObject> {
    const verifiers = caps.flatMap((cap) => verifierOf(cap) ?? [])
    const { reader, logs } = this.#parts
    const { onHidden = () => undefined, signal } = options
    const source = { reader, logs, memory: new WalkMemory(), onHidden, mendsLogs, signal }
    return (async function* () {
      for (const cap of verifiers) yield* objectsOf(source, cap)
    })()
  }

  get #context(): WholeCheckContext {
    const { clock, random, health, encoder, smallEncoder } = this.#parts
    return { clock, random, health, encoder, smallEncoder }
  }
}
