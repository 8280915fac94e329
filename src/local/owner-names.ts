/**
 * Names of users and groups, from /etc/passwd and /etc/group. Names that only a directory service
 * knows are not found; their numbers stand for themselves.
 */
import { readFileSync } from 'node:fs'
import { utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import { maxOwnerBytes } from '../tree/entry-meta.ts'

const maxId = 2 ** 32 - 1

export class OwnerNames {
  readonly #names = new Map<number, string>()
  readonly #ids = new Map<string, number>()

  /** `table` is the text of a passwd or group file; lines that are none are passed over. */
  constructor(table: string) {
    for (const line of table.split('\n')) {
      const [name, , number] = line.split(':')
      const id = /^\d{1,10}$/.test(number ?? '') ? Number(number) : maxId
      if (!isName(name) || id >= maxId) continue
      if (!this.#names.has(id)) this.#names.set(id, name)
      if (!this.#ids.has(name)) this.#ids.set(name, id)
    }
  }

  nameOf(id: number): string | undefined {
    return this.#names.get(id)
  }

  idOf(name: string): number | undefined {
    return this.#ids.get(name)
  }
}

export interface Owners {
  users: OwnerNames
  groups: OwnerNames
}

/** As the machine's files say now; nobody where there are none. */
export function systemOwners(): Owners {
  return { users: new OwnerNames(read('/etc/passwd')), groups: new OwnerNames(read('/etc/group')) }
}

/** 32 bytes that are others once the machine's files say otherwise. */
export function ownersDigest(): Uint8Array {
  const tables = ['/etc/passwd', '/etc/group'].map((file) => sha256(utf8(read(file))))
  return sha256(...tables)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Text that was no UTF-8 holds a replacement character, and names nobody. */
function isName(name: string | undefined): name is string {
  if (name === undefined || name === '' || name.includes('\ufffd')) return false
  return Buffer.byteLength(name) <= maxOwnerBytes
}
