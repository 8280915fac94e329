/** Stores a sequence of files and gives what became of them in the order of the inputs. */
import { type GridError, isGridError } from '../base/errors.ts'
import {
  FileStore,
  type FileStoreOptions,
  type FileStoreParts,
  type FileToStore,
} from './file-store.ts'
import type { NamedFile } from './stored-file.ts'

export type ManyInput<T> = FileToStore<T>

/** Its objects have names; `stored` says when they are stored. It may be left alone: what fails then ends the writer. */
export type ManyResult<T> = NamedFile & { item: T }

export interface ManyOptions<T = unknown> extends FileStoreOptions<T> {
  /** Called for a file that cannot be read, which is left out then; without it, the sequence ends with the error. */
  onUnreadable?: (item: T, error: GridError) => void
}

/** Results that wait for those before them; a bundle that keeps more of them waiting is ended. */
const maxWaiting = 32_768

/** A result that may be long in coming. */
interface Waiting<T> {
  item: T
  content: Promise<NamedFile>
  isSettled: boolean
}

export async function* storeMany<T>(
  parts: FileStoreParts,
  files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
  options: ManyOptions<T>,
): AsyncGenerator<ManyResult<T>> {
  const store = new FileStore<T>(parts, options)
  const waiting: Waiting<T>[] = []
  async function* first(): AsyncGenerator<ManyResult<T>> {
    const { item, content } = waiting.shift()!
    const result = await contentOf(item, content, options)
    if (result !== undefined) yield { ...result, item }
  }
  try {
    for await (const file of files) {
      const { content } = await store.add(file)
      const added: Waiting<T> = { item: file.item, content, isSettled: false }
      const settle = (): void => {
        added.isSettled = true
      }
      content.then(settle, settle)
      waiting.push(added)
      while (waiting[0]?.isSettled) yield* first()
      if (waiting.length < maxWaiting) continue
      await store.endBundle()
      while (waiting.length >= maxWaiting) yield* first()
    }
    await store.endBundle()
    while (waiting.length > 0) yield* first()
  } finally {
    await store.end()
  }
}

/** Undefined for a file that is left out. */
async function contentOf<T>(
  item: T,
  content: Promise<NamedFile>,
  { onUnreadable }: ManyOptions<T>,
): Promise<NamedFile | undefined> {
  try {
    return await content
  } catch (error) {
    if (onUnreadable === undefined || !isGridError(error, 'E_FILE')) throw error
    onUnreadable(item, error)
    return undefined
  }
}
