/** The folders of shares of an embedded grid, and what is stored in them without it: objects, files, streams. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { concat } from '../../src/base/bytes.ts'
import { type ConvergenceKeys, readKeyOf } from '../../src/caps/keys.ts'
import { Bundler } from '../../src/encoding/bundle.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { sealFileStream, type StreamShape } from '../../src/encoding/file-stream.ts'
import { encodeObject, pad } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { seal } from '../../src/encoding/seal.ts'
import { shareName, sharePrefix } from '../../src/storage/share-name.ts'
import type { ChildRow } from '../../src/tree/file-node.ts'
import { FileTreeWriter } from '../../src/tree/file-writer.ts'
import type { NodeSink } from '../../src/tree/node-sink.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import { plainStream, type StreamRef } from '../../src/tree/stream-row.ts'

const code = openErasureCode()
const extentBytes = 2 ** 20

/** Folders of shares below a home, by name. */
export async function shareFoldersOf(home: string): Promise<string[]> {
  const names = await readdir(home, { recursive: true })
  const found = names.filter((name) => path.basename(name) === 'shares').sort()
  return found.map((name) => path.join(home, name))
}

export class ShareFolders {
  readonly #folders: readonly string[]
  readonly #keys: ConvergenceKeys

  /** @param folders - one for each share of an object */
  constructor(folders: readonly string[], keys: ConvergenceKeys) {
    this.#folders = folders
    this.#keys = keys
  }

  /** Keeps share i of an object in folder i, as a node would. */
  store = async (content: Uint8Array): Promise<ObjectRef> => {
    const ciphertext = new Uint8Array(paddedLength(content.length))
    ciphertext.set(content)
    pad(ciphertext, content.length, this.#keys.pad)
    const coding = { k: 8, n: this.#folders.length }
    const { root, shares } = encodeObject(ciphertext, coding, code)
    for (const [i, share] of shares.entries()) {
      const file = this.#pathOf(i, root, i)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, share)
    }
    return { ...coding, root, ciphertextBytes: ciphertext.length }
  }

  /** Extents of 1 MiB, and the nodes above them. */
  async storeLarge(sink: NodeSink, bytes: Uint8Array): Promise<ChildRow> {
    const writer = new FileTreeWriter(this.#keys, sink)
    for (let at = 0; at < bytes.length; at += extentBytes) {
      const extent = bytes.subarray(at, at + extentBytes)
      const readKey = readKeyOf(this.#keys, 'raw', extent)
      const object = await this.store(seal('raw', readKey, extent))
      await writer.add(plainStream(object, extent.length, readKey))
    }
    return writer.finish()
  }

  /** Small files, not compressed, in one bundle. */
  async storeSmall(files: readonly Uint8Array[]): Promise<StreamRef[]> {
    const bundler = new Bundler<StreamShape>()
    for (const bytes of files) {
      const stream = sealFileStream(this.#keys, bytes, { compress: false })
      bundler.add(stream, stream)
    }
    const [{ content, items }] = bundler.finish()
    const object = await this.store(concat(content))
    return items.map(({ item, offset }) => {
      const { readKey, plaintextBytes, compression, storedBytes } = item
      return { object, offset, readKey, plaintextBytes, compression, storedBytes }
    })
  }

  /** The files that hold shares of an object, whichever folder they are in. */
  async filesOf(root: Uint8Array): Promise<string[]> {
    const files: string[] = []
    for (const folder of this.#folders.keys()) {
      for (const number of this.#folders.keys()) {
        const file = this.#pathOf(folder, root, number)
        if (await stat(file).catch(() => undefined)) files.push(file)
      }
    }
    return files
  }

  #pathOf(folder: number, root: Uint8Array, number: number): string {
    const name = shareName(storageIndexOf(root), number)
    return path.join(this.#folders[folder], sharePrefix(name), name)
  }
}
