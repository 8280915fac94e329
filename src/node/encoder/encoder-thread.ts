/** One worker thread, which does one job at a time. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { GridError } from '../../base/errors.ts'
import type { FinalReply, WorkerReply, WorkerRequest } from './encoder-messages.ts'

/**
 * Threads that are worth having: one for each core, for the thread that feeds them and serves the
 * network waits most of the time; more than four outrun it.
 */
export function usefulThreads(): number {
  return Math.min(4, availableParallelism())
}

/** Young generation of a thread, which makes little but views. */
const youngMiB = 4

export class EncoderThread {
  readonly #worker: Worker
  #resolve: ((reply: FinalReply) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #alive = true

  constructor(engine: 'simd' | 'package' | undefined) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const url = new URL(`./encoder-worker.${extension}`, import.meta.url)
    const resourceLimits = { maxYoungGenerationSizeMb: youngMiB }
    this.#worker = new Worker(url, { workerData: { engine }, resourceLimits })
    this.#worker.unref()
    this.#worker.on('message', (reply: WorkerReply) => this.#take(reply))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`a worker thread ended with ${code}`)))
  }

  /** False once the thread has ended. */
  get alive(): boolean {
    return this.#alive
  }

  /** Runs one job; `transfers` are handed over. Rejects with the worker's typed error. */
  run(request: WorkerRequest, transfers: ArrayBuffer[]): Promise<FinalReply> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#worker.ref()
      this.#worker.postMessage(request, transfers)
    })
  }

  async stop(): Promise<void> {
    this.#alive = false
    // whoever waits for the end must not see the process end before it, nor by a reply under way
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #take(reply: WorkerReply): void {
    if (this.#alive) this.#worker.unref()
    if (reply.kind === 'failed') this.#reject?.(new GridError(reply.code, reply.message))
    else this.#resolve?.(reply)
  }

  #die(error: Error): void {
    this.#alive = false
    this.#reject?.(
      new GridError('E_INTERNAL', `encoding failed: ${error.message}`, { cause: error }),
    )
  }
}
