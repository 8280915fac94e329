/**
 * Caps under names of their owner's choice: a folder in `private/` of a home with a file for each
 * name, 0600, that holds a cap a line. What may be in a file is its user's business.
 *
 * A file is written beside its place, synced and renamed, so that there is the old one or the new
 * one at every moment, whole. What a file held before is not wiped: the disk frees its blocks and
 * reuses them when it likes, and flash may keep them for long (docs/keys.md).
 */
import { utf8 } from '../../base/bytes.ts'
import { isDiskError } from '../../base/disk.ts'
import { asGridError, GridError } from '../../base/errors.ts'
import type { Cap } from '../../caps/cap.ts'
import { parseCap } from '../../caps/parse.ts'
import { formatCap } from '../../caps/text.ts'
import { RecordFolder, type RecordFolderOptions } from './record-folder.ts'

export interface CapFolderOptions extends RecordFolderOptions {
  /** What a name stands for, with its article, such as `an alias`. */
  what: string
  /** How to name another, or to free one that is taken: the hint of E_EXISTS. */
  whenTaken: (name: string) => string
}

const nameRule = /^[a-z0-9][a-z0-9._-]{0,63}$/
const maxFileBytes = 4096

/** Whether a text can be a name: up to 64 small letters, digits, dots, dashes and underscores. */
export function isCapName(text: string): boolean {
  return nameRule.test(text)
}

export class CapFolder {
  readonly #options: CapFolderOptions
  readonly #files: RecordFolder

  constructor(options: CapFolderOptions) {
    this.#options = options
    this.#files = new RecordFolder(options)
  }

  /** Names in order. Throws E_IO. */
  async names(): Promise<string[]> {
    const { path, disk } = this.#options
    try {
      return (await disk.readDirectory(path)).filter(isCapName).sort()
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return []
      throw asGridError(error, 'E_IO', `cannot read ${path}`)
    }
  }

  /**
   * What `read` makes of the caps in the file of `name`; undefined if there is none.
   *
   * @throws E_CONFIG for a file that `read` or the parser refuses; E_IO
   */
  async find<T>(name: string, read: (caps: Cap[]) => T): Promise<T | undefined> {
    const bytes = isCapName(name) ? await this.#files.read(name, maxFileBytes) : undefined
    if (bytes === undefined) return undefined
    try {
      const lines = new TextDecoder().decode(bytes).split('\n')
      return read(lines.filter((line) => line.trim() !== '').map(parseCap))
    } catch (cause) {
      const noun = `${this.#noun} ${name}`
      throw new GridError('E_CONFIG', `the file of ${noun} does not hold its caps`, { cause })
    }
  }

  /** Adds a file, durable on return. @throws E_USAGE for a name that is none; E_EXISTS, E_IO */
  async add(name: string, caps: readonly Cap[]): Promise<void> {
    await this.checkFree(name)
    await this.#write(name, caps)
  }

  /** Puts `caps` in the place of those in a file, durable on return. @throws E_USAGE if there is none; E_IO */
  async replace(name: string, caps: readonly Cap[]): Promise<void> {
    await this.#checkThere(name)
    await this.#write(name, caps)
  }

  /** Forgets a name and its caps, durably. @throws E_USAGE if there is none; E_IO */
  async remove(name: string): Promise<void> {
    await this.#checkThere(name)
    await this.#files.remove(name)
    const { disk, path } = this.#options
    try {
      await disk.syncDirectory(path)
    } catch (error) {
      throw asGridError(error, 'E_IO', `cannot remove ${this.#noun} ${name}`)
    }
  }

  /** Throws E_USAGE for a name that is none, E_EXISTS for one that is taken. */
  async checkFree(name: string): Promise<void> {
    const { what, whenTaken } = this.#options
    if (!isCapName(name)) {
      throw new GridError('E_USAGE', `this is no name for ${what}`, {
        hint: 'take up to 64 small letters, digits, dots, dashes and underscores',
      })
    }
    if (!(await this.#isThere(name))) return
    throw new GridError('E_EXISTS', `there is ${what} ${name} already`, { hint: whenTaken(name) })
  }

  get #noun(): string {
    return this.#options.what.replace(/^an? /, '')
  }

  async #isThere(name: string): Promise<boolean> {
    return isCapName(name) && (await this.#files.read(name, maxFileBytes)) !== undefined
  }

  async #checkThere(name: string): Promise<void> {
    if (await this.#isThere(name)) return
    throw new GridError('E_USAGE', `there is no ${this.#noun} ${name}`)
  }

  async #write(name: string, caps: readonly Cap[]): Promise<void> {
    await this.#files.write(name, utf8(`${caps.map(formatCap).join('\n')}\n`))
  }
}
