/**
 * Bundles the command line, so that it starts in the time of one file: dist/bundle/grid.js, and
 * chunks beside it for what is loaded when it is called. Reads what tsc wrote; downloads nothing.
 *
 * With `DIRECTORY MODULE`, for the drill of upgrades: bundles into that directory, with that module in the
 * place of dist/src/base/version.js.
 */
import { chmod, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { existsSync } from 'node:fs'
import { build } from 'esbuild'

const entries = {
  grid: 'dist/src/cli/main.js',
  'encoder-worker': 'dist/src/node/encoder/encoder-worker.js',
  'restore-worker': 'dist/src/backup/restore/restore-worker.js',
}

const [outdir = 'dist/bundle', versionModule] = process.argv.slice(2)

/** Another version of Grid, where one is wanted. */
const otherVersion = {
  name: 'other version',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]base[\\/]version\.js$/ }, async () => ({
      contents: await readFile(versionModule, 'utf8'),
    }))
  },
}

const present = Object.entries(entries).filter(([, file]) => existsSync(file))
await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: Object.fromEntries(present),
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  // the entry without the native addon, which a bundle could not load and short values do not need
  alias: { 'cbor-x': 'cbor-x/encode' },
  // with binaries of their own
  external: ['koffi', 'lmdb'],
  plugins: versionModule === undefined ? [] : [otherVersion],
  // packages in CommonJS ask for Node's own modules by require
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';globalThis.require ??= requireFrom(import.meta.url);",
  },
})
await chmod(path.join(outdir, 'grid.js'), 0o755)
