/** What the users of a run do to their trees, as a seed draws it. */
import type { SimRandom } from '../sim-random.ts'
import type { ContentOf, TreeEdit } from './tree-edit.ts'

/** Few names, so that they meet: files that become directories, copies, what comes back. */
const directories = ['', 'a', 'a/b', 'a/b/c', 'd', 'e', 'z'] as const
const names = ['a', 'b', 'c', 'f', 'g', 'x', 'y', 'z'] as const
const contentCount = 12

/** A tree from nothing, with at most one large file. */
export function drawEdits(random: SimRandom, fewest: number, most: number): TreeEdit[] {
  const edits = Array.from({ length: random.between(fewest, most) }, (): TreeEdit => {
    const at = random.unit()
    const path = drawPath(random)
    if (at < 0.1) return { edit: 'link', path, target: random.pick(names) }
    if (at < 0.15) return { edit: 'directory', path }
    return { edit: 'write', path, ...drawContent(random) }
  })
  if (random.chance(0.2)) edits.push({ edit: 'write', path: drawPath(random), ...large(random) })
  return edits
}

export function drawEdit(random: SimRandom): TreeEdit {
  const path = drawPath(random)
  const at = random.unit()
  if (at < 0.3) return { edit: 'write', path, ...drawContent(random) }
  if (at < 0.45) {
    return { edit: 'overwrite', path, keepsTime: random.chance(0.4), ...drawContent(random) }
  }
  if (at < 0.55) {
    const bytes = random.between(1, 300)
    return { edit: 'patch', path, at: random.unit(), content: random.below(contentCount), bytes }
  }
  if (at < 0.7) return { edit: 'remove', path }
  if (at < 0.8) return { edit: 'move', path, to: drawPath(random) }
  if (at < 0.88) return { edit: 'copy', path, to: drawPath(random) }
  if (at < 0.92) return { edit: 'link', path, target: random.pick(names) }
  if (at < 0.95) return { edit: 'directory', path }
  if (at < 0.97) return { edit: 'write', path, ...large(random) }
  return { edit: 'chmod', path, mode: random.pick([0o600, 0o755, 0o444]) }
}

/** Of whatever file is meant. */
export function drawOverwrite(random: SimRandom): TreeEdit {
  const bytes = random.pick([100, 900, 3000])
  return {
    edit: 'overwrite',
    path: '',
    keepsTime: false,
    content: random.below(contentCount),
    bytes,
  }
}

function drawPath(random: SimRandom): string {
  const directory = random.pick(directories)
  const name = random.pick(names)
  return directory === '' ? name : `${directory}/${name}`
}

/** Mostly a few hundred bytes; at times what needs no object, or as much as a segment. */
function drawContent(random: SimRandom): ContentOf {
  const content = random.below(contentCount)
  const at = random.unit()
  if (at < 0.15) return { content, bytes: random.pick([0, 1, 30, 64]) }
  if (at < 0.9) return { content, bytes: random.pick([65, 200, 900, 3000]) }
  return { content, bytes: random.pick([10_000, 20_000, 40_000, 131_072]) }
}

/** More than one extent, as a rule. */
function large(random: SimRandom): ContentOf {
  return { content: 2 * random.below(3), bytes: random.pick([1_200_000, 1_900_000]) }
}
