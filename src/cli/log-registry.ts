/** The commands about append-only logs. */
import type { CommandEntry } from './command.ts'

export const logCommands: readonly CommandEntry[] = [
  {
    name: 'log create',
    summary: 'make a log of snapshots: its admin cap, and a cap for this machine',
    load: async () => (await import('./commands/log-create.ts')).logCreate,
  },
  {
    name: 'log append',
    summary: 'add the snapshot of a directory to a log',
    load: async () => (await import('./commands/log-append.ts')).logAppend,
  },
  {
    name: 'log read',
    summary: 'list the snapshots in a log',
    load: async () => (await import('./commands/log-read.ts')).logRead,
  },
  {
    name: 'log grant',
    summary: 'let a device append to a log',
    load: async () => (await import('./commands/log-grant.ts')).logGrant,
  },
  {
    name: 'log revoke',
    summary: 'take no more entries of a device',
    load: async () => (await import('./commands/log-revoke.ts')).logRevoke,
  },
  {
    name: 'log move',
    summary: 'move a log off servers that are being emptied or are gone',
    load: async () => (await import('./commands/log-move.ts')).logMove,
  },
  {
    name: 'log audit',
    summary: 'say what each server shows of a log, and whether to believe it',
    load: async () => (await import('./commands/log-audit.ts')).logAudit,
  },
  {
    name: 'log check',
    summary: 'find out whether servers hide an entry of a log',
    load: async () => (await import('./commands/log-check.ts')).logCheck,
  },
]
