/**
 * The mark of a folder's format: a file `format` in it with one number, made when the folder is made. Folders
 * without one are of format 1. A version that meets a higher number leaves the folder as it is.
 */
import { GridError } from './errors.ts'

export const formatFile = 'format'
/** The highest that this version reads, and what it makes. */
export const formatNumber = 1

/**
 * Looks at what the file says; undefined where there is none. `what` names the folder, as in "the home /x".
 * Throws E_VERSION for a later format, E_IO for a file that holds no number.
 */
export function checkFormat(text: string | undefined, what: string): void {
  if (text === undefined) return
  const number = /^[1-9]\d{0,5}\n?$/.test(text) ? Number(text) : undefined
  if (number === undefined) {
    throw new GridError('E_IO', `the file "${formatFile}" of ${what} holds no number`, {
      hint: 'bring it back from a copy, or move it away if no later version of Grid was here',
    })
  }
  if (number <= formatNumber) return
  throw new GridError('E_VERSION', `${what} has format ${number}, newer than this Grid reads`, {
    hint: 'upgrade Grid; nothing was changed',
    facts: { format: number },
  })
}
