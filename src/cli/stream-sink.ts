/** A stream of the process as a sink. A reader that goes away (EPIPE) breaks it, and nothing else. */
import { GridError } from '../base/errors.ts'
import type { Sink } from './world.ts'

export class StreamSink implements Sink {
  readonly #stream: NodeJS.WriteStream
  #failure: GridError | undefined

  /** @param onBreak - called once, when nobody reads any more */
  constructor(stream: NodeJS.WriteStream, onBreak: (failure: GridError) => void = () => {}) {
    this.#stream = stream
    stream.on('error', (cause) => {
      if (this.#failure !== undefined) return
      this.#failure = new GridError('E_INTERRUPTED', 'nobody reads the output', { cause })
      onBreak(this.#failure)
    })
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY
  }

  get columns(): number {
    return this.#stream.columns
  }

  get isBroken(): boolean {
    return this.#failure !== undefined
  }

  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#stream.write(data, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(this.#failure ?? error)
      })
    })
  }
}
