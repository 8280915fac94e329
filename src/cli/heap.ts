/** How the process that runs a grid lets its heap grow. */
import { setImmediate } from 'node:timers/promises'
import v8 from 'node:v8'
import vm from 'node:vm'
import { loadNative, type NativeCalls } from '../local/native.ts'

/**
 * How far the heap may grow between two full collections, in percent. The buffers of connections
 * count as heap, and by default a busy process collects all of it for every 6 MB that it receives:
 * a fifth of its processor time.
 */
const growingPercent = 300

/** The young generation keeps its size: what is in it are views of buffers, which do not live. */
const youngGrowthFactor = 1

/** For programs, not libraries: it holds for the whole process. */
export function collectSeldom(): void {
  v8.setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
  v8.setFlagsFromString(`--semi-space-growth-factor=${youngGrowthFactor}`)
}

/**
 * Gives back what is not used: garbage, and what the C library keeps of it. Takes some tens of
 * milliseconds, in which nothing else happens.
 */
export async function giveBackMemory(): Promise<void> {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc') as () => void
  // the first collection finds buffers that nobody has, and the second what they held
  for (let round = 0; round < 2; round++) {
    collect()
    await setImmediate()
  }
  const native = await loadNative()
  native?.giveBackFreeMemory()
}

/** Has the pages of a mapped file leave this process's memory soon, where the system can do that. */
export function forgetMapped(path: string): void {
  loadNative()
    .then((native) => native?.forgetMapped(path))
    .catch(() => undefined)
}

/** What lives grows and goes with each bundle of a backup: there the heap is kept near it. */
const closePercent = 100

/**
 * The adapter to the system, for a command through which a whole tree goes: it holds little for long
 * beside much for a moment, and what it holds is kept near what it needs.
 */
export async function nativeForMuch(): Promise<NativeCalls | undefined> {
  v8.setFlagsFromString(`--heap-growing-percent=${closePercent}`)
  const native = await loadNative()
  native?.separateLargeBlocks()
  return native
}
