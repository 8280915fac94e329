/** Where a running node listens for the command line of its home. */
import path from 'node:path'
import type { Home } from './home.ts'

export function socketOf(home: Pick<Home, 'path'>): string {
  return path.join(home.path, 'node.sock')
}
