/** What is in a tree, as other code than ours sees it: a line for each name. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { listingScript } from '../local/awkward.ts'

const run = promisify(execFile)

/**
 * Content, kind, mode, owner, time to the nanosecond, links, hard links, devices, extended attributes
 * of `root` and all below it.
 */
export async function listTree(root: string): Promise<string[]> {
  const { stdout } = await run('python3', ['-c', listingScript, root], { maxBuffer: 2 ** 30 })
  return stdout.trim().split('\n')
}

/** The first names by which two listings differ, for a person to read; empty if they are equal. */
export function differences(found: readonly string[], wanted: readonly string[]): string[] {
  const [have, want] = [new Set(found), new Set(wanted)]
  return [
    ...wanted.filter((line) => !have.has(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !want.has(line)).map((line) => `+ ${line}`),
  ].slice(0, 12)
}
