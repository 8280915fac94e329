/**
 * Supplies `Promise.withResolvers`, which libp2p 3 calls and Node 20 lacks.
 *
 * Must be the first import of every entry point: without it each dial fails with a misleading
 * ECONNRESET. A no-op on Node 22 and later.
 */
type Resolvers<T> = {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

const constructor = Promise as unknown as { withResolvers?: <T>() => Resolvers<T> }

constructor.withResolvers ??= function <T>(): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve']
  let reject!: Resolvers<T>['reject']
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

export {}
