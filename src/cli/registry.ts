/** Every command there is. Its code is loaded when it is called, so that the others cost nothing. */
import type { CommandEntry } from './command.ts'
import { joiningCommands } from './joining-registry.ts'
import { logCommands } from './log-registry.ts'
import { upkeepCommands } from './upkeep-registry.ts'

export const registry: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'make a home: its config, and the keys of this user',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'up',
    summary: "run this machine's node, and make its home first if there is none",
    load: async () => (await import('./commands/up.ts')).up,
  },
  {
    name: 'put',
    summary: 'store files and print their caps',
    load: async () => (await import('./commands/put.ts')).put,
  },
  {
    name: 'get',
    summary: 'fetch what a cap reads into a file',
    load: async () => (await import('./commands/get.ts')).get,
  },
  {
    name: 'cat',
    summary: 'print what a cap reads',
    load: async () => (await import('./commands/cat.ts')).cat,
  },
  {
    name: 'alias add',
    summary: 'name a tree that others made, by its caps',
    load: async () => (await import('./commands/alias-add.ts')).aliasAdd,
  },
  {
    name: 'alias create',
    summary: 'make an empty tree and name it',
    load: async () => (await import('./commands/alias-create.ts')).aliasCreate,
  },
  {
    name: 'alias ls',
    summary: 'list the trees that have a name',
    load: async () => (await import('./commands/alias-ls.ts')).aliasLs,
  },
  {
    name: 'alias rm',
    summary: 'forget a name and its caps',
    load: async () => (await import('./commands/alias-rm.ts')).aliasRm,
  },
  {
    name: 'ls',
    summary: 'list a directory of a tree',
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    name: 'tree',
    summary: 'draw a directory of a tree and all below it',
    load: async () => (await import('./commands/tree.ts')).tree,
  },
  {
    name: 'stat',
    summary: 'say what a tree knows of a file or directory',
    load: async () => (await import('./commands/stat.ts')).stat,
  },
  {
    name: 'du',
    summary: 'add up the sizes of files in a tree',
    load: async () => (await import('./commands/du.ts')).du,
  },
  {
    name: 'find',
    summary: 'find files in a tree by name and kind',
    load: async () => (await import('./commands/find.ts')).find,
  },
  {
    name: 'mkdir',
    summary: 'make a directory in a tree',
    load: async () => (await import('./commands/mkdir.ts')).mkdir,
  },
  {
    name: 'cp',
    summary: 'copy between this machine and trees, and within them',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  {
    name: 'mv',
    summary: 'move and rename in trees',
    load: async () => (await import('./commands/mv.ts')).mv,
  },
  {
    name: 'ln',
    summary: 'give a file of a tree one more name, or make a symbolic link',
    load: async () => (await import('./commands/ln.ts')).ln,
  },
  {
    name: 'rm',
    summary: 'remove from a tree; older versions keep it',
    load: async () => (await import('./commands/rm.ts')).rm,
  },
  {
    name: 'history',
    summary: 'list the versions in which a file or directory changed',
    load: async () => (await import('./commands/history.ts')).history,
  },
  {
    name: 'restore-version',
    summary: 'make a file or directory what it was in a version',
    load: async () => (await import('./commands/restore-version.ts')).restoreVersion,
  },
  {
    name: 'snapshots',
    summary: 'list the backups in a log',
    load: async () => (await import('./commands/snapshots.ts')).snapshots,
  },
  {
    name: 'restore',
    summary: 'restore a backup, or what is in it',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  {
    name: 'restore-test',
    summary: 'find out whether a backup could be restored, and record it in its log',
    load: async () => (await import('./commands/restore-test.ts')).restoreTest,
  },
  {
    name: 'diff',
    summary: 'list what is not the same in two backups',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  ...upkeepCommands,
  {
    name: 'status',
    summary: 'list the storage servers and say how they are',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'top',
    summary: 'watch the running node of this home at work',
    load: async () => (await import('./commands/top.ts')).top,
  },
  {
    name: 'events',
    summary: "list what happened at this home's node, and follow it",
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'cap inspect',
    summary: 'say what a cap is and what its holder may do, and show no secret',
    load: async () => (await import('./commands/cap-inspect.ts')).capInspect,
  },
  {
    name: 'cap attenuate',
    summary: 'make a weaker cap from a cap, to hand on',
    load: async () => (await import('./commands/cap-attenuate.ts')).capAttenuate,
  },
  ...logCommands,
  {
    name: 'backup',
    summary: 'back up directories of this machine as a snapshot in a log',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    name: 'prune',
    summary: 'give up old snapshots of a backup log, and what only they stand on',
    load: async () => (await import('./commands/prune.ts')).prune,
  },
  {
    name: 'backup init',
    summary: 'make a backup log that this machine may only add to, and print its recovery kit',
    load: async () => (await import('./commands/backup-init.ts')).backupInit,
  },
  {
    name: 'recover',
    summary: 'make a home from the two lines of a recovery kit',
    load: async () => (await import('./commands/recover.ts')).recover,
  },
  {
    name: 'keys paper',
    summary: 'print the recovery kit of a backup log, and take its admin cap off this machine',
    load: async () => (await import('./commands/keys-paper.ts')).keysPaper,
  },
  {
    name: 'keys export',
    summary: 'write the caps of backup logs into a text, under a passphrase',
    load: async () => (await import('./commands/keys-export.ts')).keysExport,
  },
  {
    name: 'keys import',
    summary: 'take the caps of a key file into this home',
    load: async () => (await import('./commands/keys-import.ts')).keysImport,
  },
  {
    name: 'keys passphrase',
    summary: 'change the passphrase of a key file',
    load: async () => (await import('./commands/keys-passphrase.ts')).keysPassphrase,
  },
  {
    name: 'node init',
    summary: 'make the home of a node that keeps shares for others',
    load: async () => (await import('./commands/node-init.ts')).nodeInit,
  },
  {
    name: 'node run',
    summary: 'run the node of this home until it is told to stop',
    load: async () => (await import('./commands/node-run.ts')).nodeRun,
  },
  {
    name: 'node status',
    summary: 'say how the running node of this home is',
    load: async () => (await import('./commands/node-status.ts')).nodeStatus,
  },
  {
    name: 'node drain',
    summary: 'empty this node: put its shares onto others, before it is switched off for good',
    load: async () => (await import('./commands/node-drain.ts')).nodeDrain,
  },
  {
    name: 'node scrub',
    summary: 'say when the shares here were read through last, or do it now',
    load: async () => (await import('./commands/node-scrub.ts')).nodeScrub,
  },
  {
    name: 'node sweep',
    summary: 'say what nobody holds any more here and when it goes, and delete what is due',
    load: async () => (await import('./commands/node-sweep.ts')).nodeSweep,
  },
  {
    name: 'node purge',
    summary: 'let go of what a member pays for here whose time was over 90 days ago',
    load: async () => (await import('./commands/node-purge.ts')).nodePurge,
  },
  {
    name: 'node downgrade',
    summary: 'set this home back, for the version of Grid before this one',
    load: async () => (await import('./commands/node-downgrade.ts')).nodeDowngrade,
  },
  {
    name: 'node id',
    summary: "print this home's peer id",
    load: async () => (await import('./commands/node-id.ts')).nodeId,
  },
  {
    name: 'introducer init',
    summary: 'make the home of an introducer, and print its address',
    load: async () => (await import('./commands/introducer-init.ts')).introducerInit,
  },
  {
    name: 'introducer run',
    summary: 'run the introducer of this home until it is told to stop',
    load: async () => (await import('./commands/introducer-run.ts')).introducerRun,
  },
  ...joiningCommands,
  {
    name: 'demo',
    summary: 'run a grid of ten nodes on this machine, and watch a file survive seven of them',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'bench',
    summary: 'time how fast this machine stores and fetches, without a network',
    load: async () => (await import('./commands/bench.ts')).bench,
  },
  {
    name: 'version',
    summary: 'print the versions of grid, Node and the machine',
    load: async () => (await import('./commands/version.ts')).showVersion,
  },
  {
    name: 'help',
    summary: 'say how a command is used',
    load: async () => (await import('./commands/help.ts')).help,
  },
]
