/** The commands by which machines become members of a grid, and cease to be. */
import type { CommandEntry } from './command.ts'

export const joiningCommands: readonly CommandEntry[] = [
  {
    name: 'join',
    summary: 'become a member of a grid by an invitation',
    load: async () => (await import('./commands/join.ts')).join,
  },
  {
    name: 'invite',
    summary: 'print an invitation for one more machine, and let it in',
    load: async () => (await import('./commands/invite.ts')).invite,
  },
  {
    name: 'invite ls',
    summary: 'list the invitations, and who waits',
    load: async () => (await import('./commands/invite-ls.ts')).inviteLs,
  },
  {
    name: 'invite approve',
    summary: 'let the machine in that came with an invitation',
    load: async () => (await import('./commands/invite-approve.ts')).inviteApprove,
  },
  {
    name: 'invite refuse',
    summary: 'send the machine away that came with an invitation',
    load: async () => (await import('./commands/invite-refuse.ts')).inviteRefuse,
  },
  {
    name: 'invite revoke',
    summary: 'take back an invitation that nobody has joined by',
    load: async () => (await import('./commands/invite-revoke.ts')).inviteRevoke,
  },
  {
    name: 'members',
    summary: 'list the members of the grid that this home founded',
    load: async () => (await import('./commands/members.ts')).members,
  },
  {
    name: 'member revoke',
    summary: 'put a member out of the grid that this home founded',
    load: async () => (await import('./commands/member-revoke.ts')).memberRevoke,
  },
  {
    name: 'introducer accept',
    summary: 'use the servers that introducers name now, though most of before are gone',
    load: async () => (await import('./commands/introducer-accept.ts')).introducerAccept,
  },
  {
    name: 'psk new',
    summary: 'make a secret that keeps strangers from connecting, to follow another',
    load: async () => (await import('./commands/psk-new.ts')).pskNew,
  },
]
