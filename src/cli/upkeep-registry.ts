/** The commands that keep what is stored alive: a part of the registry. */
import type { CommandEntry } from './command.ts'

export const upkeepCommands: readonly CommandEntry[] = [
  {
    name: 'check',
    summary: 'find out whether what caps stand on is on enough servers',
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'repair',
    summary: 'put the shares that are missing or damaged',
    load: async () => (await import('./commands/repair.ts')).repair,
  },
  {
    name: 'rebalance',
    summary: 'copy shares to the servers that should have them',
    load: async () => (await import('./commands/rebalance.ts')).rebalance,
  },
  {
    name: 'keeper add',
    summary: 'let the keeper of this home look after what caps stand on',
    load: async () => (await import('./commands/keeper-add.ts')).keeperAdd,
  },
  {
    name: 'keeper ls',
    summary: 'list what the keeper looks after, and how it went',
    load: async () => (await import('./commands/keeper-ls.ts')).keeperLs,
  },
  {
    name: 'keeper rm',
    summary: 'let the keeper look after something no longer',
    load: async () => (await import('./commands/keeper-rm.ts')).keeperRm,
  },
  {
    name: 'keeper run',
    summary: 'check, repair and renew what was added, again and again',
    load: async () => (await import('./commands/keeper-run.ts')).keeperRun,
  },
]
