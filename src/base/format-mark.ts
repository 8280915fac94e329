/**
 * The mark of a folder's format: a file `format` in it with one number, made when the folder is made. Folders
 * without one are of format 1. A version that meets a higher number leaves the folder as it is.
 */
import { GridError } from './errors.ts'
import { formatNumber } from './version.ts'

export const formatFile = 'format'

/** What the file of a folder of that format holds. */
export function formatLine(format: number): string {
  return `${format}\n`
}

/**
 * The format that the file says; undefined is for a folder without one. `what` names the folder, as in
 * "the home /x". Throws E_VERSION for a later format, E_IO for a file that holds no number.
 */
export function checkFormat(text: string | undefined, what: string): number {
  if (text === undefined) return 1
  const number = /^[1-9]\d{0,5}\n?$/.test(text) ? Number(text) : undefined
  if (number === undefined) {
    throw new GridError('E_IO', `the file "${formatFile}" of ${what} holds no number`, {
      hint: 'bring it back from a copy, or move it away if no later version of Grid was here',
    })
  }
  if (number <= formatNumber) return number
  throw new GridError('E_VERSION', `${what} has format ${number}, newer than this Grid reads`, {
    hint: 'upgrade Grid, or set it back with the later one: grid node downgrade; nothing was changed',
    facts: { format: number },
  })
}
