/** A directory of this machine that is compared with the entries that it was restored from. */
import type { Identity } from './open-directory.ts'
import { OpenDirectory } from './open-directory.ts'
import {
  closeCompared,
  compareDirectory,
  compareEntry,
  type Comparing,
  type Difference,
  openToCompare,
} from './compare-entry.ts'
import type { EntryFacts } from './facts.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError, isGridError } from '../base/errors.ts'
import { identityOf, sameIdentity } from './open-directory.ts'
import { kindOf } from './local-stats.ts'
import { detailOf, type Report } from './notice.ts'
import { pathBelow, type TargetHandle } from './target-directory.ts'

/** What all directories of one comparison share. */
export interface ComparedRun extends Comparing {
  report: Report
  /** The first name of each file of more than one, by its number. */
  links: Map<number, Identity>
}

export class ComparedDirectory {
  readonly #run: ComparedRun
  readonly #open: OpenDirectory
  readonly #path: Uint8Array

  private constructor(run: ComparedRun, open: OpenDirectory, path: Uint8Array) {
    this.#run = run
    this.#open = open
    this.#path = path
  }

  /** Of what `path` leads to. Throws E_FILE. */
  static at(path: string, run: ComparedRun): ComparedDirectory {
    try {
      return new ComparedDirectory(run, OpenDirectory.at(path), new Uint8Array(0))
    } catch (error) {
      throw asGridError(error, 'E_FILE', `cannot read ${path}`)
    }
  }

  get handle(): TargetHandle {
    const directory = this.#open.handle
    return { directory, parent: undefined, isNew: false, path: this.#path }
  }

  /** Undefined if there is none of that name, which is reported. */
  directory({ name }: EntryFacts): ComparedDirectory | undefined {
    const path = pathBelow(this.#path, name)
    const { report } = this.#run
    try {
      return new ComparedDirectory(this.#run, this.#open.open(name), path)
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) report({ code: 'missing', path })
      else if (isDiskError(error, 'ENOTDIR', 'ELOOP'))
        report({ code: 'differs', path, detail: 'kind' })
      else report({ code: 'failed', path, detail: detailOf(error), cause: error })
      return undefined
    }
  }

  /** Looks at one name alone: whether it is a further name of the file that it should be one of. */
  isLinked({ name, meta }: EntryFacts): boolean {
    const stats = meta.hardLink === undefined ? undefined : this.#open.look(name)
    if (stats === undefined) return true
    const first = this.#run.links.get(meta.hardLink!)
    if (first === undefined) this.#run.links.set(meta.hardLink!, identityOf(stats))
    if (first === undefined || sameIdentity(first, identityOf(stats))) return true
    const path = pathBelow(this.#path, name)
    this.#run.report({ code: 'differs', path, detail: 'a file of its own, not a hard link' })
    return false
  }

  /** A large file, whose content `check` looks at in the open file. Whether it is as it should be. */
  async large(facts: EntryFacts, check: (fd: number) => Promise<void>): Promise<boolean> {
    const path = pathBelow(this.#path, facts.name)
    const { report } = this.#run
    let fd: number | undefined
    try {
      let found = compareEntry(this.#open, facts, undefined, this.#run)
      const stats = this.#open.look(facts.name)
      const isFile = stats !== undefined && kindOf(stats) === 'file'
      if (isFile && Number(stats.size) === facts.sizeBytes) {
        fd = openToCompare(this.#open, facts.name)
        if (fd !== undefined) await check(fd)
      } else found ??= { code: 'differs' }
      if (found !== undefined) report({ ...found, path })
      return found === undefined
    } catch (error) {
      if (isGridError(error, 'E_INTERRUPTED')) throw error
      if (isGridError(error, 'E_BLOCK')) report({ code: 'differs', path, detail: error.message })
      else if (isGridError(error))
        report({ code: 'content', path, detail: error.code, cause: error })
      else report({ code: 'failed', path, detail: detailOf(error), cause: error })
      return false
    } finally {
      if (fd !== undefined) closeCompared(fd)
    }
  }

  keep(): void {}

  finish(facts: EntryFacts | undefined): void {
    try {
      const found: Difference | undefined = facts && compareDirectory(this.#open, facts, this.#run)
      if (found !== undefined) this.#run.report({ ...found, path: this.#path })
    } finally {
      this.abandon()
    }
  }

  abandon(): void {
    this.#open.close()
  }
}
