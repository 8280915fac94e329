import { command, type Command } from '../command.ts'
import { clientOptions, gridSettings, makeHome, noStorage } from '../make-home.ts'
import { list } from '../option.ts'
import { redundancyOptions } from '../redundancy-options.ts'

export const init: Command = command({
  arguments: [],
  options: {
    ...clientOptions,
    disks: list('--disks <DIR>', 'without a grid: a disk of this machine to use; may be repeated'),
    ...redundancyOptions,
  },
  examples: [
    ['grid init', 'keep files on this machine for now'],
    ['grid init --disks /mnt/a --disks /mnt/b', 'so that either disk may die'],
    ['grid init --disks /mnt/a --k 1 --n 1', 'in one plain folder'],
    ['grid init --introducer /dns4/intro.example/tcp/7781/p2p/12D3KooW…', 'use a grid'],
  ],
  async run(context, { options }) {
    const { id } = await makeHome(context, [...gridSettings(options), noStorage('grid init')])
    return { summary: { home: context.home.path, peerId: id } }
  },
})
