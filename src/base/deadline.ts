/** Ends for what might not end by itself: deadlines on a Clock, and waits that an abort cuts short. */
import { setMaxListeners } from 'node:events'
import type { Clock } from './clock.ts'
import { GridError } from './errors.ts'

/**
 * Runs `work` with a signal that aborts with E_TIMEOUT after `delayMs`, or as soon as
 * `options.signal` does. It is the work that must heed the signal.
 */
export async function withDeadline<T>(
  clock: Clock,
  delayMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  options: { signal?: AbortSignal } = {},
): Promise<T> {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(options.signal?.reason)
  const cancel = clock.after(delayMs, () => {
    controller.abort(new GridError('E_TIMEOUT', `not done after ${delayMs / 1000} s`))
  })
  if (options.signal?.aborted) onAbort()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    cancel()
    options.signal?.removeEventListener('abort', onAbort)
  }
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/**
 * The items of `source` until it ends, or until the signal aborts: then its reason is thrown at
 * once, even while the source hangs. A source that was not used up is told to return, and not
 * waited for, since it may never answer.
 */
export async function* untilAborted<T>(
  source: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let ended = false
  // one listener for all items: adding one for each costs more than a small item itself
  let giveUp: (reason: Error) => void = () => {}
  const onAbort = (): void => giveUp(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      signal?.throwIfAborted()
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        // before the source is asked, which may abort by itself
        giveUp = reject
        Promise.resolve(iterator.next()).then(resolve, reject)
      })
      if (next.done === true) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

/**
 * The same options with a signal of their own, which aborts when the given one does, and to which any
 * number may listen: Node takes more than ten listeners for a leak, and a grid has more servers.
 */
export function heardByMany({ signal }: { signal?: AbortSignal | undefined }): {
  signal?: AbortSignal
} {
  if (signal === undefined) return {}
  const own = AbortSignal.any([signal])
  setMaxListeners(0, own)
  return { signal: own }
}
