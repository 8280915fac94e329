/**
 * What is being made in a directory of the target, under a part's name until it is whole. Then it
 * gets its own by one call; or it is taken away again, and why is reported.
 */
import { closeSync, constants, fstatSync, fsyncSync } from 'node:fs'
import { isDiskError } from '../base/disk.ts'
import { isGridError } from '../base/errors.ts'
import type { EntryFacts } from './facts.ts'
import { identityOf, type Identity, type OpenDirectory } from './open-directory.ts'
import { type Settling, settle } from './settle.ts'
import type { TargetRun } from './target-run.ts'

export interface Placing {
  run: TargetRun
  directory: OpenDirectory
  facts: EntryFacts
  path: Uint8Array
  /** Whether what has the name may be replaced; else something that takes it meanwhile stays. */
  replace: boolean
}

const { O_CREAT, O_EXCL, O_WRONLY } = constants

export class Part {
  readonly name: Uint8Array
  readonly #placing: Placing
  #fd: number | undefined

  constructor(placing: Placing) {
    this.#placing = placing
    this.name = placing.run.partName()
  }

  /** Makes an empty file, which is open until `finishFile` or `giveUp`. */
  openFile(): number {
    this.#fd = this.#placing.directory.openFile(this.name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    return this.#fd
  }

  /** What the file is; while it is open. */
  get identity(): Identity {
    return identityOf(fstatSync(this.#fd!, { bigint: true }))
  }

  /** The file has all its content. */
  finishFile(): void {
    const { run, facts, path } = this.#placing
    const fd = this.#fd!
    settle({ fd }, facts, settlingOf(run, path))
    if (run.options.sync === true) fsyncSync(fd)
    this.#close()
    this.finish()
  }

  /** It is whole, and gets its name. */
  finish(): void {
    const { directory, facts, replace } = this.#placing
    if (replace) directory.rename(this.name, facts.name)
    else nameExclusively(this.#placing, this.name, facts.name)
  }

  /** Throws E_FILE where nothing can be written any more, and E_INTERRUPTED. */
  giveUp(error: unknown): void {
    const { run, directory, path, replace } = this.#placing
    this.#close()
    directory.discard(this.name)
    if (isGridError(error, 'E_INTERRUPTED')) throw error
    if (isGridError(error, 'E_SIZE')) run.report('size', path, error.message, error)
    else if (isGridError(error)) run.report('content', path, error.code, error)
    else if (isDiskError(error, 'EEXIST') && !replace) run.report('exists', path)
    else run.failed(error, path)
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

export function settlingOf(run: TargetRun, path: Uint8Array): Settling {
  const { trusted = false, numericIds = false, native } = run.options
  const lost: Settling['lost'] = (code, detail) => run.report(code, path, detail)
  return { trusted, numericIds, owners: run.owners, native, lost }
}

/** Fails where the name has been taken meanwhile; a plain rename would replace. */
function nameExclusively({ run, directory }: Placing, part: Uint8Array, name: Uint8Array): void {
  const { native } = run.options
  if (native?.renameNew(directory.pathOf(part), directory.pathOf(name)) === true) return
  try {
    directory.link(directory, part, name)
  } catch (error) {
    if (!isDiskError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
    directory.rename(part, name) // a file system without links, such as FAT
    return
  }
  directory.unlink(part)
}
