/** A version of Grid to come: the same but for all that a release can raise, each one higher. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { formatNumber, version, wireVersions } from '../../../src/base/version.ts'

const root = path.resolve(import.meta.dirname, '../../../..')

export const nextVersion: string = version.replace(/\d+(?=\.\d+$)/, (minor) => `${+minor + 1}`)
export const nextFormat: number = formatNumber + 1

/** Bundles it into `directory`, which is made; returns its command line. */
export function bundleNextVersion(directory: string): string {
  fs.mkdirSync(directory)
  const module = path.join(directory, 'version.js')
  const wire = { ...wireVersions, max: wireVersions.max + 1 }
  fs.writeFileSync(
    module,
    `export const version = '${nextVersion}'
    export const formatNumber = ${nextFormat}
    export const wireVersions = ${JSON.stringify(wire)}\n`,
  )
  // what is not in a bundle is found from there
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
  const bundle = path.join(directory, 'bundle')
  execFileSync(process.execPath, ['scripts/bundle.js', bundle, module], { cwd: root })
  return path.join(bundle, 'grid.js')
}
