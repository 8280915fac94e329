/**
 * Which entries of a tree a walk or a restore takes. It is asked from above: nothing below a
 * directory that is skipped is asked for, and so nothing below it can be taken back in.
 */
import { type Pattern, splitPath } from './pattern.ts'

/** `pass`: a directory that is taken only if something below it is. */
export type Choice = 'take' | 'pass' | 'skip'

export interface Selection {
  /** `path` is from the root of the tree, without a slash in front, and not empty. */
  choose(path: Uint8Array, isDirectory: boolean): Choice
  /** What says the same of all that is below a directory it took or passed, and with less work; itself, if absent. */
  below?(path: Uint8Array): Selection
}

export const everything: Selection = { choose: () => 'take' }

/** All but what the patterns match; the last that matches decides. */
export function excluding(patterns: readonly Pattern[]): Selection {
  if (patterns.length === 0) return everything
  return {
    choose(path, isDirectory) {
      return decision(patterns, splitPath(path), isDirectory) === true ? 'skip' : 'take'
    },
  }
}

/** Only what the patterns match, with all that is below it and the directories that lead there. */
export function including(patterns: readonly Pattern[]): Selection {
  return {
    choose(path, isDirectory) {
      const components = splitPath(path)
      let included = false
      for (let depth = 1; depth <= components.length; depth++) {
        const isAbove = depth < components.length
        const said = decision(patterns, components.slice(0, depth), isAbove || isDirectory)
        included = said ?? included
      }
      if (included) return 'take'
      return isDirectory ? 'pass' : 'skip'
    },
  }
}

/** What every one of the selections takes. */
export function allOf(selections: readonly Selection[]): Selection {
  const wanted = selections.filter((selection) => selection !== everything)
  if (wanted.length === 0) return everything
  if (wanted.length === 1) return wanted[0]
  return {
    choose(path, isDirectory) {
      let choice: Choice = 'take'
      for (const selection of wanted) {
        const said = selection.choose(path, isDirectory)
        if (said === 'skip') return 'skip'
        if (said === 'pass') choice = 'pass'
      }
      return choice
    },
    below: (path) => allOf(wanted.map((selection) => selection.below?.(path) ?? selection)),
  }
}

/** True or false as the last pattern that matches says, undefined if none does. */
function decision(
  patterns: readonly Pattern[],
  components: readonly Uint8Array[],
  isDirectory: boolean,
): boolean | undefined {
  for (let i = patterns.length - 1; i >= 0; i--) {
    if (patterns[i].matches(components, isDirectory)) return !patterns[i].negated
  }
  return undefined
}
