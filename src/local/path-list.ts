/** `--files-from`: paths by name, each with all that is below it. */
import { GridError } from '../base/errors.ts'
import { escapedName } from './escaped-name.ts'
import { splitAt, splitPath, withoutRoot } from './pattern.ts'
import { everything, type Selection } from './selection.ts'

interface Step {
  /** By name, as Latin-1: a letter a byte. */
  below: Map<string, Step>
  listed: boolean
}

const newline = 0x0a

/** Paths of a file: one a line, or ended by zeros (`--files-from0`). Empty ones are passed over. */
export function listedPaths(content: Uint8Array, separator: number = newline): Uint8Array[] {
  return splitAt(content, separator).filter((path) => path.length > 0)
}

/**
 * Takes the paths, which are relative to the root of the tree or begin with it.
 *
 * @throws E_USAGE for a path that leads out of the tree
 */
export function listing(paths: readonly Uint8Array[], root?: Uint8Array): Selection {
  const top: Step = { below: new Map(), listed: false }
  for (const path of paths) stepTo(top, path, root).listed = true
  return listedBelow(top)
}

function listedBelow(top: Step): Selection {
  /** The step of a path, or the listed one above it; undefined if it leads to none. */
  const stepOf = (path: Uint8Array): Step | undefined => {
    let step: Step | undefined = top
    for (const piece of splitPath(path)) {
      if (step === undefined || step.listed) break
      step = step.below.get(latin1(piece))
    }
    return step
  }
  if (top.listed) return everything
  return {
    choose(path, isDirectory) {
      const step = stepOf(path)
      if (step === undefined) return 'skip'
      if (step.listed) return 'take'
      return isDirectory ? 'pass' : 'skip'
    },
    below(path) {
      return stepOf(path)?.listed === true ? everything : this
    },
  }
}

function stepTo(top: Step, path: Uint8Array, root: Uint8Array | undefined): Step {
  const relative =
    root !== undefined && Buffer.compare(path, root) === 0
      ? path.subarray(path.length)
      : withoutRoot(path, root)
  const isOutside = relative[0] === 0x2f && relative === path && (root?.length ?? 0) > 1
  let step = top
  for (const piece of splitPath(relative)) {
    const name = latin1(piece)
    if (name === '..' || isOutside)
      throw new GridError('E_USAGE', `not a path below the root: ${escapedName(path)}`)
    let next = step.below.get(name)
    if (next === undefined) step.below.set(name, (next = { below: new Map(), listed: false }))
    step = next
  }
  return step
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
