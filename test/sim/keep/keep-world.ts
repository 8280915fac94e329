/**
 * Months of keeping in one thread: servers, the devices that back up to them, a pruner and a keeper,
 * and the plan that drives them (docs/simulation.md, "What a seed of keeping does").
 */
import type { ErasureCode } from '../../../src/encoding/erasure-code.ts'
import { readHeader } from '../../../src/log/entry.ts'
import { toHex } from '../../../src/base/bytes.ts'
import type { ServerParts } from '../sim-server.ts'
import { Stage } from '../stage.ts'
import { KeepDevice } from './keep-device.ts'
import { KeepJudge } from './keep-judge.ts'
import { KeepLog, prunerNumber } from './keep-log.ts'
import { KeepKeeper } from './keep-keeper.ts'
import { keepObject, poolSize } from './keep-objects.ts'
import type { KeepParts, KeepRules } from './keep-parts.ts'
import { dayMs, hourMs, type KeepItem, type KeepPlan } from './keep-plan.ts'
import { KeepPruner } from './keep-pruner.ts'
import { KeepServer } from './keep-server.ts'
import { KeepVisitor } from './keep-visitor.ts'

/** Broken parts, to see that they are found out. */
export type KeepBroken = ServerParts & { rules?: Partial<KeepRules> }

export interface KeepWorldOptions {
  code: ErasureCode
  print?: (line: string) => void
  keepParts?: KeepBroken
}

const rules: KeepRules = {
  freshMs: 48 * hourMs,
  lessMarginMs: 0,
  found: (found) => found,
  touches: true,
}

export class KeepWorld {
  readonly stage: Stage
  readonly #plan: KeepPlan
  readonly #servers: KeepServer[] = []
  readonly #devices: readonly KeepDevice[]
  readonly #pruner: KeepPruner
  readonly #visitor: KeepVisitor
  readonly #keeper: KeepKeeper
  readonly #judge: KeepJudge
  readonly #log: KeepLog

  constructor(plan: KeepPlan, { code, print, keepParts = {} }: KeepWorldOptions) {
    this.#plan = plan
    const { seed, options } = plan
    const { durationMs, n, k } = options
    this.stage = new Stage({
      ...{ seed, name: 'keep world', durationMs, bodyBudgetBytes: 2 ** 24 },
      ...(print === undefined ? {} : { print }),
    })
    const { clock, tally, random, journal } = this.stage
    this.#log = new KeepLog(options.servers)
    this.#addServers(keepParts)
    const objects = Array.from({ length: poolSize }, (_, i) => keepObject(i, { k, n }, code))
    this.#judge = new KeepJudge({
      ...{ clock, tally, objects, n, servers: this.#servers },
      onViolation: (what) => this.stage.accuse(what),
    })
    const parts: KeepParts = {
      ...{ options, clock, journal, tally, objects, log: this.#log, judge: this.#judge },
      ...{ servers: this.#servers, random: random.fork('machines') },
      rules: { ...rules, ...keepParts.rules },
      code,
      onReplayed: (server, { changed }) => {
        if (changed > 0) this.stage.accuse(`I13: ${server} carried a release out twice`)
      },
    }
    this.#devices = Array.from({ length: options.devices }, (_, i) => new KeepDevice(i, parts))
    this.#pruner = new KeepPruner(parts)
    this.#visitor = new KeepVisitor(parts)
    this.#keeper = new KeepKeeper(parts)
    this.stage.clients = []
  }

  /** Runs the plan, lets all heal, and looks whether all is there. Throws the first Violation. */
  async run(): Promise<void> {
    const { stage } = this
    const { items, options } = this.#plan
    for (const server of stage.servers) void server.start()
    for (const item of items) {
      await stage.runUntil(item.atMs)
      this.#happen(item)
    }
    await stage.runUntil(options.durationMs + 10 * dayMs)
    stage.journal.write('world', 'the faults have ended')
    await stage.runUntil(options.durationMs + 70 * dayMs)
    for (const what of [...this.#devices, this.#pruner, this.#keeper].flatMap(
      ({ underWay }) => underWay,
    )) {
      stage.accuse(`I12: ${what} never ended`)
    }
    for (const { server } of this.#servers) {
      for (const wrong of server.ledger.audit()) stage.accuse(`I1: at the end ${wrong}`)
      // the journal of holds is written as long as the process lives
      if (server.disk.openFiles > 1) stage.accuse(`I11: ${server.id} holds files open`)
      if (server.unfinished > 0) stage.accuse(`I11: ${server.id} has left shares unfinished`)
    }
    this.#judge.audit()
    stage.check()
  }

  #happen(item: KeepItem): void {
    const { stage } = this
    switch (item.kind) {
      case 'fault':
        this.#judge.disturbed()
        return stage.begin(item)
      case 'backup':
        return this.#start(this.#devices[item.device].backup(item))
      case 'forget':
        return this.#devices[item.device].forget()
      case 'device-crash':
        return this.#devices[item.device].crash()
      case 'prune':
        return this.#start(this.#pruner.prune(item))
      case 'push':
        return this.#start(this.#pruner.push())
      case 'cancel':
        return this.#start(this.#pruner.cancel())
      case 'replay':
        return this.#start(this.#pruner.replay())
      case 'lease':
        return this.#start(this.#visitor.lease(item.object))
      case 'renew':
        return this.#start(this.#visitor.renew())
      case 'attack':
        return this.#start(
          this.#visitor.attack(item, (server) => {
            stage.accuse(`I5: ${server} let a device release what is held`)
          }),
        )
      case 'check':
        return this.#start(this.#keeper.check(item))
      case 'consent':
        return this.#start(this.#servers[item.server].sweep(true))
      case 'scrub':
        return this.#start(this.#servers[item.server].scrub())
    }
  }

  #start(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.stage.accuse(`the simulation itself failed: ${(error as Error).stack ?? ''}`)
    })
  }

  #addServers(parts: ServerParts): void {
    const { options } = this.#plan
    const { stage } = this
    const prunerKey = toHex(this.#log.log.deviceKey(prunerNumber))
    for (const [i, id] of this.#log.log.serverIds.entries()) {
      const kept = new KeepServer({
        ...{ options, tally: stage.tally, random: stage.random.fork(`holds of ${id}`) },
        nowMs: () => stage.clock.monotonicMs(),
        wallMs: () => stage.clock.nowMs(),
        isGood: (release) => toHex(readHeader(release).fields.author) === prunerKey,
        onEvent: (what, facts) => stage.journal.write(id, what, facts),
        onViolation: (what) => stage.accuse(`${id}: ${what}`),
      })
      kept.server = stage.addServer({
        ...{ id, diskBytes: options.diskBytes, seed: this.#log.log.serverPair(id).seed },
        ...{ rots: ['shares'], skewMs: options.skewsMs[i], restartMs: 6 * hourMs },
        parts: { ...parts, peer: (peer) => kept.witnessed(parts.peer?.(peer) ?? peer) },
        open: (premises) => kept.open(premises),
        onEnd: (power) => {
          kept.model.ended(power)
          this.#judge.disturbed()
        },
        mayBeGone: (index) => !kept.owes(index),
        faultOf: () => {
          throw new RangeError('nobody lies here')
        },
      })
      this.#servers.push(kept)
    }
  }
}
