/**
 * Names that a home gives to trees, each a file in `private/aliases/`, 0600, with a cap a line: a
 * LOG-Read cap, and a LOG-Append cap if this home may change the tree; or a DIR-CHK cap.
 */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { type Disk, isDiskError } from '../base/disk.ts'
import { asGridError, GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Cap, CapOf } from '../caps/cap.ts'
import { parseCap } from '../caps/parse.ts'
import { formatCap } from '../caps/text.ts'
import type { Home } from '../node/home.ts'

/** What opens a tree: the versions of a log, or one directory that never changes. */
export type TreeCaps =
  | { read: CapOf<'LOG-Read'>; append: CapOf<'LOG-Append'> | undefined }
  | { read: CapOf<'DIR-CHK'>; append?: undefined }

export interface AliasesParts {
  home: Home
  disk: Disk
  random: Random
}

const aliasName = /^[a-z0-9][a-z0-9._-]{0,63}$/
const maxFileBytes = 4096

/** Whether a text can be an alias: up to 64 small letters, digits, dots, dashes and underscores. */
export function isAliasName(text: string): boolean {
  return aliasName.test(text)
}

export class Aliases {
  readonly #parts: AliasesParts

  constructor(parts: AliasesParts) {
    this.#parts = parts
  }

  /** Throws E_USAGE if there is no such alias; E_IO, E_CONFIG for a file that holds none. */
  async get(name: string): Promise<TreeCaps> {
    const caps = await this.find(name)
    if (caps !== undefined) return caps
    throw new GridError('E_USAGE', `there is no alias ${name}`, {
      hint: `make it: grid alias create ${name}; for a local file write ./${name}:…`,
    })
  }

  async find(name: string): Promise<TreeCaps | undefined> {
    if (!isAliasName(name)) return undefined
    const text = await this.#read(name)
    if (text === undefined) return undefined
    try {
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      return treeCapsOf(lines.map(parseCap))
    } catch (cause) {
      throw new GridError('E_CONFIG', `the file of alias ${name} does not hold its caps`, { cause })
    }
  }

  /** Names in order. */
  async names(): Promise<string[]> {
    try {
      const names = await this.#parts.disk.readDirectory(this.#folder)
      return names.filter(isAliasName).sort()
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return []
      throw asGridError(error, 'E_IO', `cannot read ${this.#folder}`)
    }
  }

  /**
   * Adds an alias to an initialised home, durable when it resolves.
   *
   * @throws E_USAGE for a name that is none; E_EXISTS, E_IO
   */
  async add(name: string, { read, append }: TreeCaps): Promise<void> {
    await this.checkFree(name)
    const { disk, random } = this.#parts
    const lines = [read, ...(append === undefined ? [] : [append])].map(formatCap)
    const part = path.join(this.#folder, `.${toBase32(random.bytes(5))}.part`)
    try {
      await disk.makeDirectory(this.#folder)
      const file = await disk.create(part)
      try {
        await file.write([utf8(`${lines.join('\n')}\n`)], 0)
        await file.sync()
      } finally {
        await file.close()
      }
      await disk.rename(part, path.join(this.#folder, name))
      await disk.syncDirectory(this.#folder)
    } catch (error) {
      throw asGridError(error, 'E_IO', `cannot write alias ${name}`)
    }
  }

  /** Throws E_USAGE for a name that is none, E_EXISTS for one that is taken. */
  async checkFree(name: string): Promise<void> {
    if (!isAliasName(name)) {
      throw new GridError('E_USAGE', 'this is no name for an alias', {
        hint: 'take up to 64 small letters, digits, dots, dashes and underscores',
      })
    }
    if ((await this.#read(name)) === undefined) return
    throw new GridError('E_EXISTS', `there is an alias ${name} already`, {
      hint: `take another name, or: grid alias rm ${name}`,
    })
  }

  /** Forgets an alias and its caps. Throws E_USAGE if there is none. */
  async remove(name: string): Promise<void> {
    await this.get(name)
    const { disk } = this.#parts
    try {
      await disk.unlink(path.join(this.#folder, name))
      await disk.syncDirectory(this.#folder)
    } catch (error) {
      throw asGridError(error, 'E_IO', `cannot remove alias ${name}`)
    }
  }

  get #folder(): string {
    return path.join(this.#parts.home.private, 'aliases')
  }

  async #read(name: string): Promise<string | undefined> {
    try {
      const file = await this.#parts.disk.openRead(path.join(this.#folder, name))
      try {
        return new TextDecoder().decode(await file.read(0, maxFileBytes))
      } finally {
        await file.close()
      }
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw asGridError(error, 'E_IO', `cannot read alias ${name}`)
    }
  }
}

/** The caps of a tree from a list of one or two. Throws E_CAP_WEAK for caps that open none. */
export function treeCapsOf(caps: readonly Cap[]): TreeCaps {
  const read = caps.find(({ type }) => type === 'LOG-Read' || type === 'DIR-CHK')
  const append = caps.find(({ type }) => type === 'LOG-Append')
  const isWhole = caps.length === (append === undefined ? 1 : 2)
  if (read?.type === 'DIR-CHK' && append === undefined && isWhole) return { read }
  if (read?.type === 'LOG-Read' && isWhole) {
    const isOne = append === undefined || sameLog(append, read)
    if (isOne) return { read, append: append as CapOf<'LOG-Append'> | undefined }
    throw new GridError('E_USAGE', 'the two caps are of different logs')
  }
  throw new GridError('E_CAP_WEAK', 'a tree is opened by a LOG-Read or a DIR-CHK cap', {
    hint: 'give a LOG-Read cap, and a LOG-Append cap beside it to make changes',
  })
}

function sameLog(append: Cap, read: CapOf<'LOG-Read'>): boolean {
  return append.type === 'LOG-Append' && toBase32(append.logId) === toBase32(read.logId)
}
