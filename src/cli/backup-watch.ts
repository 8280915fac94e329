/** `grid backup --watch`: a backup after every change, until the user has enough. */
import { watch } from 'node:fs'
import type { BackupPaths } from '../backup/backup-paths.ts'
import { Bell } from '../base/bell.ts'
import { asGridError } from '../base/errors.ts'
import type { Context, Outcome } from './command.ts'

/** After the last change, before the next backup; and no longer after the first one. */
const quietMs = 5_000
const patienceMs = 60_000

/**
 * Backs up at once, and again whenever something below the paths changed and a moment has passed.
 * Ends only by the signal, and by a backup that fails.
 */
export async function watched(
  context: Context,
  paths: BackupPaths,
  once: () => Promise<Outcome>,
): Promise<Outcome> {
  const { signal, output } = context
  const changed = new Bell()
  let changes = 0
  const watchers = paths.shown.map((path) => {
    try {
      const options = { recursive: true, encoding: 'buffer' } as const
      return watch(Buffer.from(path).toString(), options, () => {
        changes++
        changed.ring()
      })
    } catch (error) {
      throw asGridError(error, 'E_FILE', 'cannot watch for changes')
    }
  })
  for (const watcher of watchers) {
    // a directory that goes away is found by the next walk
    watcher.on('error', () => changed.ring())
  }
  try {
    for (;;) {
      const before = changes
      const { text } = await once()
      if (text !== undefined) output.note(text)
      if (changes === before) await changed.next({ signal })
      await quiet(context, () => changes)
    }
  } finally {
    for (const watcher of watchers) watcher.close()
  }
}

/** Resolves when nothing has changed for a moment, or for long something did all the time. */
async function quiet({ world, signal }: Context, changes: () => number): Promise<void> {
  const { clock } = world
  const startMs = clock.monotonicMs()
  for (;;) {
    const before = changes()
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(quietMs, () => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
      const stop = (): void => {
        cancel()
        reject(signal.reason as Error)
      }
      signal.throwIfAborted()
      signal.addEventListener('abort', stop, { once: true })
    })
    if (changes() === before || clock.monotonicMs() - startMs > patienceMs) return
  }
}
