/**
 * Backups beside prunes, in every order that there is (docs/specs/prune.md, "Model"): the rules that
 * the specification demands lose nothing, and each of them is needed.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { type Explored, explore } from './explore.ts'
import { type Bounds, PruneModel, type Rules, soundRules } from './prune-model.ts'

/** Objects fare each by itself, so one is enough for most of what may go wrong. */
const small: Bounds = {
  objects: 1,
  devices: 1,
  clocks: [0],
  days: 6,
  quarantineDays: 1,
  prunes: 1,
  takeBacks: 0,
  absences: false,
  rollbacks: 0,
  pending: false,
  mayLose: 0,
}

function outcome(rules: Partial<Rules>, bounds: Partial<Bounds>, maxStates?: number): Explored {
  return explore(new PruneModel({ ...soundRules, ...rules }, { ...small, ...bounds }), maxStates)
}

const isLong = process.env.SLOW === '1'

/** By what is in it besides one device and one prune. */
const sound: Readonly<Record<string, Partial<Bounds>>> = {
  'two servers whose clocks differ by a day': { clocks: [0, -1] },
  'a server that comes and goes': { clocks: [0, -1], absences: true, mayLose: 1, days: 5 },
  'two devices that share an object': { devices: 2, days: 3 },
  'a cache that is put back': { rollbacks: 1, days: 7 },
  'an entry that is offered late': { pending: true, days: 7 },
  'two prunes': { prunes: 2, days: 5 },
  'a release that is taken back': { takeBacks: 1, quarantineDays: 2 },
  'a server whose clock is far behind': { clocks: [0, -9] },
}

/** Larger ones, for whoever has the time: SLOW=1. */
const large: Readonly<Record<string, Partial<Bounds>>> = {
  'two servers, two prunes, absences': {
    ...{ clocks: [0, -1], absences: true, mayLose: 1, prunes: 2, days: 6 },
  },
  'two objects': { objects: 2 },
  'two devices': { devices: 2 },
  'two devices on two servers': { devices: 2, clocks: [0, -1], days: 6 },
  'everything at once': {
    ...{ rollbacks: 1, pending: true, prunes: 2, takeBacks: 1, quarantineDays: 2, days: 7 },
  },
}

/** What breaks without a rule, and where it shows. */
const wrong: Readonly<Record<string, [rules: Partial<Rules>, bounds: Partial<Bounds>]>> = {
  'a cutoff without its margin': [{ marginDays: 0 }, {}],
  'no second touch after 48 hours': [{ freshDays: 9 }, {}],
  'releases that do not heed touches': [{ releaseHeedsTouches: false }, {}],
  'trust in the cache of an older snapshot': [{ trustsOldCache: true }, { rollbacks: 1 }],
  'a stale entry offered as it is': [{ offersStaleEntries: true }, { pending: true }],
  'a newest snapshot that is dropped': [{ keepsNewest: false }, {}],
  'a put of what is there that is no touch': [{ hadCountsAsTouch: false }, {}],
  'a release taken back that comes again': [
    { takingBackTouches: false },
    { takeBacks: 1, quarantineDays: 2 },
  ],
  'a release to a server whose clock is far behind': [
    { sparesWrongClocks: false },
    { clocks: [0, -9] },
  ],
}

describe('model of backups and prunes', function () {
  this.timeout(isLong ? 3_600_000 : 60_000)

  for (const [what, bounds] of Object.entries({ ...sound, ...(isLong ? large : {}) }))
    it(`loses nothing: ${what}`, () => {
      const { violation, isComplete, states } = outcome({}, bounds)
      assert.deepEqual(violation, undefined)
      assert.ok(isComplete && states > 1000, `${states}`)
    })

  for (const [what, [rules, bounds]] of Object.entries(wrong))
    it(`catches ${what}`, () => {
      const { violation } = outcome(rules, bounds)
      assert.ok(violation !== undefined && violation.length > 5)
      // and by this rule alone
      assert.equal(outcome({}, bounds).violation, undefined)
    })
})
