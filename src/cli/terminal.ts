/** Questions to whoever sits at the terminal, on stderr, so that stdout stays for results. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { GridError } from '../base/errors.ts'
import type { Ask } from './world.ts'

/** As `World.ask` says, over the process's own terminal. */
export const askTerminal: Ask = async (question, { hidden = false, signal }) => {
  let isMuted = false
  // the line editor echoes what is typed to its output, so that is where it is held back
  const output = new Writable({
    write(piece: Uint8Array, _encoding, done) {
      if (!isMuted) process.stderr.write(piece)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 })
  const stop = new AbortController()
  const giveUp = (): void => stop.abort()
  lines.once('SIGINT', giveUp)
  lines.once('close', giveUp)
  try {
    const answer = lines.question(question, { signal: AbortSignal.any([signal, stop.signal]) })
    isMuted = hidden
    return await answer
  } catch (error) {
    signal.throwIfAborted()
    if (!stop.signal.aborted) throw error
    throw new GridError('E_INTERRUPTED', 'no answer was given')
  } finally {
    lines.off('close', giveUp)
    lines.close()
    if (hidden) process.stderr.write('\n')
  }
}
