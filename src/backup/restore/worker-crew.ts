/** A BatchCrew of worker threads, which decrypt, decompress and write beside each other and the walk. */
import { GridError } from '../../base/errors.ts'
import { Budget } from '../../base/limit.ts'
import type { BatchCrew } from './batch-crew.ts'
import type { RestoreWorkerData } from './batch-messages.ts'
import type { BatchJob, BatchOptions, BatchReply, ExtentJob } from './batch-run.ts'
import { type GoodReply, RestoreThread } from './restore-thread.ts'

export class WorkerCrew implements BatchCrew {
  readonly #data: RestoreWorkerData
  readonly #places: Budget
  readonly #idle: RestoreThread[] = []
  readonly #threads = new Set<RestoreThread>()

  /** @param threads - at most, ≥ 1; they are started when there is work */
  constructor(options: BatchOptions, threads: number) {
    const { overwrite, resume, trusted, numericIds, beyondFree, sync } = options
    const plain = { overwrite, resume, trusted, numericIds, beyondFree, sync }
    const defined = Object.entries(plain).filter(([, value]) => value !== undefined)
    this.#data = {
      options: { ...Object.fromEntries(defined), delete: options.delete ?? false },
      hasNative: options.native !== undefined,
    }
    this.#places = new Budget(threads)
  }

  async run(job: BatchJob): Promise<BatchReply> {
    const reply = await this.#run(job, job.batch.bytes, job.batch.numbers, job.sealed?.bytes)
    if (reply.kind !== 'done') throw new GridError('E_INTERNAL', `restoring: ${reply.kind}`)
    return reply
  }

  async handle(job: ExtentJob): Promise<void> {
    await this.#run(job, job.sealed.bytes)
  }

  async close(): Promise<void> {
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map((thread) => thread.stop()))
  }

  async #run(
    job: BatchJob | ExtentJob,
    ...given: readonly (ArrayBufferView | undefined)[]
  ): Promise<GoodReply> {
    const leave = await this.#places.take(1)
    const thread = this.#idle.pop() ?? this.#start()
    try {
      const buffers = given.flatMap((view) => (view === undefined ? [] : view.buffer))
      return await thread.run(job, [...new Set(buffers)] as ArrayBuffer[])
    } finally {
      this.#idle.push(thread)
      leave()
    }
  }

  #start(): RestoreThread {
    const thread = new RestoreThread(this.#data)
    this.#threads.add(thread)
    return thread
  }
}
