import { capFingerprint } from '../../caps/describe.ts'
import { nameOfCap } from '../../keeper/keeper-state.ts'
import { openHome } from '../../node/home/home.ts'
import { command, type Command } from '../command.ts'
import { keeperCapsOf, openKeeperState } from '../home-keeper.ts'

export const keeperLs: Command = command({
  arguments: [],
  options: {},
  examples: [['grid keeper ls', 'see when each cap was looked after last, and how it went']],
  async run(context) {
    await openHome(context.home)
    const caps = await keeperCapsOf(context).list()
    const state = await openKeeperState(context)
    for (const cap of caps) {
      const known = state.get(cap)
      const facts = { id: nameOfCap(cap), what: capFingerprint(cap) }
      if (known === undefined) {
        await context.output.item(facts, `${facts.what}  not looked at yet`)
        continue
      }
      const { visitedMs, dueMs, failures, objects, unwell } = known
      const [visited, due] = [visitedMs, dueMs].map((ms) => new Date(ms).toISOString())
      const how = unwell > 0 ? `${unwell} of ${objects} objects are not well` : `${objects} objects`
      const failed = failures > 0 ? `, ${failures} visits failed` : ''
      await context.output.item(
        { ...facts, visited, due, failures, objects, unwell },
        `${facts.what}  ${visited}  ${how}${failed}`,
      )
    }
    return { summary: { caps: caps.length } }
  },
})
