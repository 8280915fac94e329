/** Commands that go on until the user ends them, which is how they end well. */
import { isGridError } from '../base/errors.ts'

/** Runs `work`, and resolves as well where Ctrl-C ended it; rejects at a deadline, and as it does. */
export async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted || !isGridError(signal.reason, 'E_INTERRUPTED')) throw error
  }
}
