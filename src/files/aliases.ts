/**
 * Names that a home gives to trees, each a file in `private/aliases/`, 0600, with a cap a line: a
 * LOG-Read cap, and a LOG-Append cap if this home may change the tree; or a DIR-CHK cap.
 */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import type { Disk } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Cap, CapOf } from '../caps/cap.ts'
import { CapFolder, isCapName } from '../node/home/cap-folder.ts'
import type { Home } from '../node/home/home.ts'

/** What opens a tree: the versions of a log, or one directory that never changes. */
export type TreeCaps =
  | { read: CapOf<'LOG-Read'>; append: CapOf<'LOG-Append'> | undefined }
  | { read: CapOf<'DIR-CHK'>; append?: undefined }

export interface AliasesParts {
  home: Home
  disk: Disk
  random: Random
}

/** Whether a text can be an alias: up to 64 small letters, digits, dots, dashes and underscores. */
export const isAliasName: (text: string) => boolean = isCapName

export class Aliases {
  readonly #folder: CapFolder

  constructor({ home, disk, random }: AliasesParts) {
    this.#folder = new CapFolder({
      ...{ disk, random, path: path.join(home.private, 'aliases') },
      what: 'an alias',
      whenTaken: (name) => `take another name, or: grid alias rm ${name}`,
    })
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
    return this.#folder.find(name, treeCapsOf)
  }

  /** Names in order. */
  async names(): Promise<string[]> {
    return this.#folder.names()
  }

  /**
   * Adds an alias to an initialised home, durable when it resolves.
   *
   * @throws E_USAGE for a name that is none; E_EXISTS, E_IO
   */
  async add(name: string, { read, append }: TreeCaps): Promise<void> {
    await this.#folder.add(name, append === undefined ? [read] : [read, append])
  }

  /** Throws E_USAGE for a name that is none, E_EXISTS for one that is taken. */
  async checkFree(name: string): Promise<void> {
    await this.#folder.checkFree(name)
  }

  /** Forgets an alias and its caps. Throws E_USAGE if there is none. */
  async remove(name: string): Promise<void> {
    await this.get(name)
    await this.#folder.remove(name)
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
