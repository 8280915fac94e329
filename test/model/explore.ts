/** Visits every state that a model can come to, nearest first, and says how it came to a wrong one. */

/** A state is a row of small numbers; two that mean the same are the same row. */
export type State = Uint8Array

export interface Step {
  action: string
  state: State
}

export interface Model {
  readonly first: State
  /** What may happen next. The states are the caller's. */
  next(state: State): Step[]
  /** What is wrong with a state; undefined if nothing is. */
  fault(state: State): string | undefined
}

export interface Explored {
  states: number
  /** Whether all states were visited. */
  isComplete: boolean
  /** The shortest way to a wrong state, action by action, the fault last; undefined if there is none. */
  violation: string[] | undefined
}

export function explore(model: Model, maxStates?: number): Explored {
  const known = new Set<string>([keyOf(model.first)])
  const queue: State[] = [model.first]
  const from: { parent: number; action: string }[] = [{ parent: -1, action: '' }]
  for (let at = 0; at < queue.length; at++) {
    const state = queue[at]
    const fault = model.fault(state)
    if (fault !== undefined)
      return { states: queue.length, isComplete: false, violation: [...wayTo(from, at), fault] }
    for (const { action, state: next } of model.next(state)) {
      const key = keyOf(next)
      if (known.has(key)) continue
      if (queue.length >= (maxStates ?? Infinity))
        return { states: queue.length, isComplete: false, violation: undefined }
      known.add(key)
      queue.push(next)
      from.push({ parent: at, action })
    }
  }
  return { states: queue.length, isComplete: true, violation: undefined }
}

function wayTo(from: readonly { parent: number; action: string }[], at: number): string[] {
  const way: string[] = []
  for (let i = at; from[i].parent >= 0; i = from[i].parent) way.push(from[i].action)
  return way.reverse()
}

function keyOf(state: State): string {
  return Buffer.from(state.buffer, state.byteOffset, state.length).toString('latin1')
}
