/** Why a cap is refused, in words. No message quotes any of the text, since it may be a secret. */
import { GridError } from '../base/errors.ts'
import type { CapType } from './cap.ts'

const copyAgain = 'copy the cap again, whole and unchanged'

export function notACap(why: string): GridError {
  return new GridError('E_CAP_SYNTAX', `this is not a cap: ${why}`, {
    hint: 'a cap is one line that begins with URI: or is one word such as gchk1…',
  })
}

export function unknownType(): GridError {
  return new GridError('E_CAP_TYPE', 'this cap is of a type that this version does not know', {
    hint: 'check the word behind URI:, or use a newer version of grid',
  })
}

export function mistyped(): GridError {
  return new GridError('E_CAP_CHECK', 'this cap is mistyped or cut short: its check fails', {
    hint: copyAgain,
  })
}

export function wrongField(label: string, expected: string): GridError {
  return new GridError('E_CAP_FIELD', `this cap's ${label} is wrong: expected ${expected}`, {
    hint: copyAgain,
    facts: { field: label },
  })
}

export function wrongFieldCount(expected: number): GridError {
  return new GridError('E_CAP_FIELD', `this cap has too many or too few fields, not ${expected}`, {
    hint: copyAgain,
  })
}

export function tahoeCap(): GridError {
  return new GridError('E_CAP_TAHOE', 'this is a Tahoe-LAFS cap, which grid cannot open', {
    hint: 'fetch the data with tahoe get and store it with grid put',
  })
}

export function tooWeak(held: CapType, wanted: CapType | undefined): GridError {
  return new GridError(
    'E_CAP_WEAK',
    wanted === undefined
      ? `no weaker cap can be made from a ${held} cap`
      : `a ${held} cap cannot stand in for a ${wanted} cap`,
    {
      hint: 'ask whoever gave you this cap for one of the type that is needed',
      facts: { held, wanted },
    },
  )
}
