/** What a user may do to the tree of a machine, as plain data. Each is nothing where it does not fit. */
import { toHex } from '../../../src/base/bytes.ts'
import type { MemoryTree } from '../../backup/memory-tree.ts'
import { SimRandom } from '../sim-random.ts'

/** What a file holds: the same number and size give the same bytes, in every tree of a run. */
export interface ContentOf {
  content: number
  bytes: number
}

export type TreeEdit =
  /** A new file in the place of whatever was there, with the directories above it. */
  | ({ edit: 'write'; path: string } & ContentOf)
  /** Other bytes in the same file, and at times its modification time set back. */
  | ({ edit: 'overwrite'; path: string; keepsTime: boolean } & ContentOf)
  /** A few bytes in the middle. */
  | ({ edit: 'patch'; path: string; at: number } & ContentOf)
  | { edit: 'remove'; path: string }
  | { edit: 'move'; path: string; to: string }
  | { edit: 'copy'; path: string; to: string }
  | { edit: 'link'; path: string; target: string }
  | { edit: 'directory'; path: string }
  | { edit: 'chmod'; path: string; mode: number }

export class Editor {
  readonly #random: SimRandom
  readonly #contents = new Map<string, Uint8Array>()

  /** The contents follow from `seed`. */
  constructor(seed: string) {
    this.#random = new SimRandom(seed).fork('contents')
  }

  apply(tree: MemoryTree, edit: TreeEdit): void {
    const { path } = edit
    switch (edit.edit) {
      case 'write':
        return tree.write(path, this.#bytes(edit))
      case 'overwrite': {
        const now = tree.contentOf(path)
        if (now === undefined) return
        // the size stays where the time does: nothing but the time of change tells of it then
        const bytes = this.#bytes(edit.keepsTime ? { ...edit, bytes: now.length } : edit)
        return tree.overwrite(path, bytes, { keepsTime: edit.keepsTime })
      }
      case 'patch': {
        const bytes = tree.contentOf(path)?.slice()
        if (bytes === undefined || bytes.length === 0) return
        const patch = this.#bytes(edit)
        const at = Math.floor(edit.at * bytes.length)
        bytes.set(patch.subarray(0, bytes.length - at), at)
        return tree.overwrite(path, bytes)
      }
      case 'remove':
        return tree.remove(path)
      case 'move':
        return tree.move(path, edit.to)
      case 'copy': {
        const bytes = tree.contentOf(path)
        return bytes && tree.write(edit.to, bytes)
      }
      case 'link':
        return tree.link(path, edit.target)
      case 'directory':
        return tree.makeDirectory(path)
      case 'chmod':
        return tree.chmod(path, edit.mode)
    }
  }

  /** Half of the contents are noise, the others text that compresses. */
  #bytes({ content, bytes }: ContentOf): Uint8Array {
    const name = `${content} ${bytes}`
    const known = this.#contents.get(name)
    if (known !== undefined) return known
    const random = this.#random.fork(name)
    const made = content % 2 === 0 ? random.bytes(bytes) : textOf(random, bytes)
    this.#contents.set(name, made)
    return made
  }
}

function textOf(random: SimRandom, bytes: number): Uint8Array {
  const line = Buffer.from(`${toHex(random.bytes(20))} is what this line says\n`)
  return new Uint8Array(Buffer.alloc(bytes, line))
}
