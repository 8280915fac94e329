/** Opens what places in trees name: each tree once in a command, as it was when it was first looked at. */
import os from 'node:os'
import { GridError } from '../base/errors.ts'
import type { Cap } from '../caps/cap.ts'
import { attenuate } from '../caps/attenuate.ts'
import type { Aliases, TreeCaps } from '../files/aliases.ts'
import type { FileTree } from '../files/file-tree.ts'
import { openFiles } from '../files/open-files.ts'
import { formatPath } from '../files/path.ts'
import { type Found, TreeView } from '../files/tree-view.ts'
import type { Grid } from '../node/grid.ts'
import { directoryOfCap } from '../tree/directory-cap.ts'
import type { Snapshots } from '../backup/snapshots.ts'
import { backupReadCap, homeSnapshots } from './snapshot-source.ts'
import type { Context } from './command.ts'
import { aliasesOf } from './home-aliases.ts'
import { openHomeGrid } from './home-grid.ts'
import type { TreePlace } from './place.ts'

/** A tree as a command sees it. */
export interface OpenTree {
  view: TreeView
  /** Undefined for a directory that never changes. */
  files: FileTree | undefined
  shown: string
}

export class TreePlaces {
  readonly grid: Grid
  readonly #context: Context
  readonly #trees = new Map<string, Promise<OpenTree>>()
  readonly #files = new Map<string, FileTree>()
  #snapshots: Promise<Snapshots | undefined> | undefined

  constructor(context: Context, grid: Grid) {
    this.#context = context
    this.grid = grid
  }

  get aliases(): Aliases {
    return aliasesOf(this.#context)
  }

  /** The tree of a place; with a warning if its log's servers withhold something, or may. */
  tree(place: TreePlace): Promise<OpenTree> {
    const key = keyOf(place)
    const known = this.#trees.get(key) ?? this.#open(place)
    this.#trees.set(key, known)
    return known
  }

  /** What a place names. Throws E_FILE if nothing is there. */
  async find(place: TreePlace): Promise<Found & { tree: OpenTree }> {
    const tree = await this.tree(place)
    const found = await tree.view.find(place.path)
    if (found !== undefined) return { ...found, tree }
    throw new GridError('E_FILE', `${shownPlace(place)}: no such file or directory`)
  }

  /** The versions behind a place. Throws E_CAP_WEAK for a directory that never changes. */
  async files(place: TreePlace): Promise<FileTree> {
    const key = keyOf(place)
    const caps = await this.#caps(place)
    if (caps.read.type === 'DIR-CHK') {
      throw new GridError(
        'E_CAP_WEAK',
        `${place.shown} is one directory that never changes, and has no versions`,
        {
          hint: 'to change a tree it takes a LOG-Read and a LOG-Append cap: grid alias create NAME',
          facts: { needed: 'LOG-Append' },
        },
      )
    }
    const { clock } = this.#context.world
    const { read, append } = caps
    const known = this.#files.get(key)
    const files = known ?? openFiles(this.grid, { read, append }, { clock, host: os.hostname() })
    this.#files.set(key, files)
    return files
  }

  /** Whether two places are in one tree. */
  isOne(a: TreePlace, b: TreePlace): boolean {
    return keyOf(a) === keyOf(b)
  }

  async #open(place: TreePlace): Promise<OpenTree> {
    const { output, signal } = this.#context
    const { read } = await this.#caps(place)
    const { shown } = place
    if (read.type === 'DIR-CHK') {
      return { view: new TreeView(this.grid.trees, directoryOfCap(read)), files: undefined, shown }
    }
    const files = await this.files(place)
    const { view, conclusion, heads } = await files.read({ signal })
    const { state, answered, quorum } = conclusion
    if (state !== 'FRESH') {
      const count = `${answered} of ${quorum} log servers answer`
      const why = { 'STALE-POSSIBLE': `${count}, so newer versions may exist` }
      const said =
        why[state as keyof typeof why] ?? `its log is ${state}: servers hide or contradict entries`
      await output.warning(`${shown} ${said}`, { state, answered, quorum })
    }
    if (heads.length > 1) output.note(`${shown} shows ${heads.length} versions merged`)
    return { view, files, shown }
  }

  /** An alias comes before a snapshot of the same name. */
  async #caps({ source }: TreePlace): Promise<TreeCaps> {
    if ('cap' in source) return capsOfCap(source.cap)
    const { alias } = source
    const known = await this.aliases.find(alias)
    if (known !== undefined) return known
    this.#snapshots ??= homeSnapshots(this.#context, this.grid)
    const snapshots = await this.#snapshots
    if (snapshots === undefined) {
      // who names a snapshot is told why there is none for him, others that there is no such alias
      if (alias === 'latest') await backupReadCap(this.#context, {})
      return this.aliases.get(alias)
    }
    const { snapshot } = await snapshots.find(alias, {}, { signal: this.#context.signal })
    return { read: snapshot.cap }
  }
}

/** Runs `work` over the grid of the home, which is closed at the end. */
export async function withTrees<T>(
  context: Context,
  work: (places: TreePlaces) => Promise<T>,
): Promise<T> {
  const grid = await openHomeGrid(context)
  try {
    return await work(new TreePlaces(context, grid))
  } finally {
    await grid.close()
  }
}

/** A place as messages name it: never with a cap. */
export function shownPlace({ shown, path }: TreePlace): string {
  return shown.endsWith(':') ? `${shown}${formatPath(path)}` : `${shown}/${formatPath(path)}`
}

function capsOfCap(cap: Cap): TreeCaps {
  if (cap.type === 'DIR-CHK') return { read: cap }
  if (cap.type === 'LOG-Read') return { read: cap, append: undefined }
  if (cap.type === 'LOG-Admin') return { read: attenuate(cap, 'LOG-Read'), append: undefined }
  const why = `a ${cap.type} cap opens no tree`
  throw new GridError('E_CAP_WEAK', why, {
    hint: 'give a DIR-CHK or a LOG-Read cap',
    facts: { needed: 'LOG-Read' },
  })
}

function keyOf({ source }: TreePlace): string {
  return 'alias' in source ? source.alias : `cap ${JSON.stringify(source.cap, hexOf)}`
}

function hexOf(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
