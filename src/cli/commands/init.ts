import path from 'node:path'
import { GridError } from '../../base/errors.ts'
import type { Override } from '../../node/config.ts'
import { command, type Command } from '../command.ts'
import { clientOptions, givenSettings, makeHome, noStorage } from '../make-home.ts'
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
    const { disks, k, happy, n } = options
    const given = [...givenSettings(options), noStorage('grid init')]
    if (disks.length > 0) {
      const absolute = disks.map((disk) => path.resolve(disk))
      given.push({ path: 'embedded.disks', value: absolute, source: '--disks' })
    }
    given.push(
      ...redundancySettings(options.introducer.length + options.peer.length > 0, { k, happy, n }),
    )
    const { id } = await makeHome(context, given)
    return { summary: { home: context.home.path, peerId: id } }
  },
})

/** How a home codes what it puts, if it was told; `happy` is n unless it says otherwise. */
function redundancySettings(
  hasGrid: boolean,
  { k, happy, n }: { k: number | undefined; happy: number | undefined; n: number | undefined },
): Override[] {
  if (k === undefined && happy === undefined && n === undefined) return []
  if (k === undefined || n === undefined)
    throw new GridError('E_USAGE', 'give --k and --n, or neither')
  const section = hasGrid ? 'client' : 'embedded'
  return [
    { path: `${section}.k`, value: k, source: '--k' },
    { path: `${section}.happy`, value: happy ?? n, source: '--happy' },
    { path: `${section}.n`, value: n, source: '--n' },
  ]
}
