/** Makes a home part of the grid that an invitation led to: no config needs to be edited. */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { equalBytes, utf8 } from '../base/bytes.ts'
import { type Disk, isDiskError } from '../base/disk.ts'
import { replaceKept } from '../base/kept-file.ts'
import { parsePeerAddress } from '../base/multiaddr.ts'
import type { Grant } from '../members/invite-protocol.ts'
import { memberKinds } from '../members/member-certificate.ts'
import { withSettings } from './home/config-edit.ts'
import { type Config, type Override, parseConfig } from './home/config.ts'
import { writeOwnCertificate } from './home/grid-membership.ts'
import { type Home, readConfig, replaceConfig } from './home/home.ts'

const pskFile = 'private/psk'
/** What is kept in `cache/` of the nodes of a grid: whom introducers named, and who was uploaded to. */
const nodeCaches = ['peers', 'announcements', 'uploads']

/**
 * Writes what was granted into the home, its config last, so that an attempt that was cut short can be
 * repeated. Nothing of the config changes but what the grant and `more` say.
 *
 * @throws E_CONFIG for a config that cannot be changed, before anything is written; E_IO
 */
export async function joinHome(
  home: Home,
  disk: Disk,
  grant: Grant,
  more: readonly Override[] = [],
): Promise<void> {
  const text = await readConfig(home)
  const config = withSettings(text, [...settingsOf(grant), ...more])
  const { psk, certificate } = grant
  if (!isInGridOf(parseConfig(text, [], home.path), grant)) await forgetNodes(home, disk)
  if (psk !== undefined) {
    const at = path.join(home.path, pskFile)
    await replaceKept({ disk, path: at }, utf8(`${toBase32(psk)}\n`))
  }
  if (certificate !== undefined) await writeOwnCertificate(home, disk, certificate)
  await replaceConfig(home, config)
}

/** Whether the home is in the grid already that it was let into: then what it knows of nodes still holds. */
function isInGridOf({ grid }: Config, { mode, gridKey, introducers }: Grant): boolean {
  if (grid.membership !== mode) return false
  if (gridKey !== undefined) return grid.key !== undefined && equalBytes(grid.key, gridKey)
  const ids = introducers.map((address) => parsePeerAddress(address)?.id)
  return grid.introducers.some(({ id }) => ids.includes(id))
}

/** The nodes of another grid are not to be stored on, nor to stand in the way of those of this one. */
async function forgetNodes(home: Home, disk: Disk): Promise<void> {
  await disk.makeDirectory(home.cache)
  for (const name of nodeCaches) {
    await disk.unlink(path.join(home.cache, name)).catch((error: unknown) => {
      if (!isDiskError(error, 'ENOENT')) throw error
    })
  }
  await disk.syncDirectory(home.cache)
}

function settingsOf(grant: Grant): Override[] {
  const source = 'grid join'
  const { gridName, introducers, mode, gridKey, listed, psk, allowPrivate, kindBits } = grant
  const settings: Readonly<Record<string, unknown>> = {
    'grid.name': gridName,
    'grid.introducers': [...introducers],
    'grid.allow_private': allowPrivate,
    'grid.membership': mode,
    'grid.members': [...listed],
    'grid.key': gridKey === undefined ? '' : toBase32(gridKey),
    'grid.psk_files': psk === undefined ? [] : [pskFile],
    'storage.enabled': (kindBits & memberKinds.server) !== 0,
  }
  return Object.entries(settings).map(([name, value]) => ({ path: name, value, source }))
}
