/** One worker thread of a restore, which does one job at a time. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { GridError } from '../../base/errors.ts'
import type { RestoreReply, RestoreRequest, RestoreWorkerData } from './batch-messages.ts'

export type GoodReply = Exclude<RestoreReply, { kind: 'failed' | 'broke' }>

/** More than four wait for the file system rather than for a processor. */
export function usefulRestoreThreads(): number {
  return Math.min(4, availableParallelism())
}

/**
 * Young generation of a thread: small, since what is freed with it are the buffers of every file, and
 * they are counted too late. Measured: 8 MiB took 60 MB more for each thread, and no less time.
 */
const youngMiB = 1

export class RestoreThread {
  readonly #worker: Worker
  #resolve: ((reply: GoodReply) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #failure: GridError | undefined

  constructor(workerData: RestoreWorkerData) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const url = new URL(`./restore-worker.${extension}`, import.meta.url)
    const resourceLimits = { maxYoungGenerationSizeMb: youngMiB }
    this.#worker = new Worker(url, { workerData, resourceLimits })
    this.#worker.unref()
    this.#worker.on('message', (reply: RestoreReply) => this.#take(reply))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`a worker thread ended with ${code}`)))
  }

  /** Runs one job; `transfers` are handed over. Rejects with what the job threw. */
  run(request: RestoreRequest, transfers: readonly ArrayBuffer[]): Promise<GoodReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#resolve = resolve
      this.#reject = reject
      this.#worker.ref()
      this.#worker.postMessage(request, transfers)
    })
  }

  /** What is under way comes to its end first. */
  async stop(): Promise<void> {
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #take(reply: RestoreReply): void {
    this.#worker.unref()
    if (reply.kind === 'failed') this.#reject?.(new GridError(reply.code, reply.message))
    else if (reply.kind === 'broke') {
      const { message, code, syscall } = reply
      this.#reject?.(Object.assign(new Error(message), { code, syscall }))
    } else this.#resolve?.(reply)
  }

  #die(error: Error): void {
    this.#failure ??= new GridError('E_INTERNAL', `restoring failed: ${error.message}`, {
      cause: error,
    })
    this.#reject?.(this.#failure)
  }
}
