/**
 * The caps of the logs that this home backs up into: each a file in `private/backups/`, 0600, with
 * a cap a line. A home needs the LOG-Append cap to back up, and no other; the LOG-Read cap opens the
 * snapshots, and the LOG-Admin cap, which rules the log, belongs off the machine (docs/keys.md).
 */
import path from 'node:path'
import { equalBytes } from '../../base/bytes.ts'
import type { Disk } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { Cap, CapOf, CapType } from '../../caps/cap.ts'
import { CapFolder } from '../../node/home/cap-folder.ts'
import type { Home } from '../../node/home/home.ts'

/** What a home holds of one log: at least one, all of the same log. */
export interface BackupCaps {
  /** Undefined on a machine that only restores. */
  append: CapOf<'LOG-Append'> | undefined
  /** Where there is an admin cap, the one that follows from it. */
  read: CapOf<'LOG-Read'> | undefined
  admin: CapOf<'LOG-Admin'> | undefined
}

export interface KeyringParts {
  home: Home
  disk: Disk
  random: Random
}

/** The log of a home that was told of no other. */
export const defaultLogName = 'backup'

export class Keyring {
  readonly #folder: CapFolder

  constructor({ home, disk, random }: KeyringParts) {
    this.#folder = new CapFolder({
      ...{ disk, random, path: path.join(home.private, 'backups') },
      what: 'a backup log',
      whenTaken: () => 'take another name with --log',
    })
  }

  /** @throws E_USAGE if the home knows no log of this name; E_IO, E_CONFIG for a file that holds none */
  async get(name: string): Promise<BackupCaps> {
    const caps = await this.find(name)
    if (caps !== undefined) return caps
    const names = await this.names()
    throw new GridError('E_USAGE', `this home has no backup log ${name}`, {
      hint:
        names.length === 0
          ? 'make it: grid backup init; or bring it back: grid recover'
          : `it has ${names.join(', ')}: choose with --log`,
    })
  }

  /** As `get`, and undefined if there is none. */
  async find(name: string): Promise<BackupCaps | undefined> {
    return this.#folder.find(name, backupCapsOf)
  }

  /** Names in order. */
  async names(): Promise<string[]> {
    return this.#folder.names()
  }

  /**
   * Adds a log to an initialised home, durable on return.
   *
   * @throws E_USAGE for a name that is none, or caps that do not belong together; E_EXISTS, E_IO
   */
  async add(name: string, caps: BackupCaps): Promise<void> {
    await this.#folder.add(name, listOf(caps))
  }

  /**
   * Puts `caps` in the place of those that are kept: the old or the new ones are there at every
   * moment. Durable on return; the bytes of the old file are not wiped from the disk.
   *
   * @throws E_USAGE if there is no such log, or for caps that do not belong together; E_IO
   */
  async replace(name: string, caps: BackupCaps): Promise<void> {
    await this.#folder.replace(name, listOf(caps))
  }

  /** Throws E_USAGE for a name that is none, E_EXISTS for one that is taken. */
  async checkFree(name: string): Promise<void> {
    await this.#folder.checkFree(name)
  }
}

/**
 * The caps of a log from a list in any order, none twice.
 *
 * @throws E_USAGE for an empty list, one with another cap, or with caps of two logs
 */
export function backupCapsOf(caps: readonly Cap[]): BackupCaps {
  const one = <T extends CapType>(type: T): CapOf<T> | undefined =>
    caps.find((cap): cap is CapOf<T> & Cap => cap.type === type)
  const kept = { append: one('LOG-Append'), read: one('LOG-Read'), admin: one('LOG-Admin') }
  const { append, admin } = kept
  const held = Object.values(kept).filter((cap) => cap !== undefined)
  if (held.length === 0 || held.length !== caps.length) {
    throw new GridError('E_USAGE', 'these are not the caps of a backup log', {
      hint: 'there is at most one LOG-Append, one LOG-Read and one LOG-Admin cap, and no other',
    })
  }
  const read = admin === undefined ? kept.read : attenuate(admin, 'LOG-Read')
  const isOne =
    held.every(({ logId }) => equalBytes(logId, held[0].logId)) &&
    (kept.read === undefined || equalBytes(kept.read.readSeed, read!.readSeed))
  if (!isOne) throw new GridError('E_USAGE', 'the caps are of different logs')
  return { append, read, admin }
}

function listOf({ append, read, admin }: BackupCaps): Cap[] {
  const caps = [append, read, admin].filter((cap) => cap !== undefined)
  backupCapsOf(caps)
  return caps
}
