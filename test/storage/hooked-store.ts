/** A share store whose steps a test can watch, hold up or fail. */
import type { ShareReader, ShareStore, ShareWriter } from '../../src/storage/share-store.ts'

/** Called before a step takes place; it takes place when the hook resolves. */
export interface StoreHooks {
  space?: () => Promise<void>
  create?: () => Promise<void>
  write?: (byteCount: number) => Promise<void>
  commit?: () => Promise<void>
  read?: (byteCount: number) => Promise<void>
}

export function hookedStore(store: ShareStore, hooks: StoreHooks): ShareStore {
  return {
    open: () => store.open(),
    totals: () => store.totals(),
    list: (storageIndex) => store.list(storageIndex),
    entries: (after) => store.entries(after),
    setAside: (storageIndex, shareNumber, reader) =>
      store.setAside(storageIndex, shareNumber, (reader as HookedReader).inner ?? reader),
    damaged: () => store.damaged(),
    remove: (storageIndex, shareNumber) => store.remove(storageIndex, shareNumber),
    space: async () => {
      const space = await store.space()
      await hooks.space?.()
      return space
    },
    create: async (storageIndex, shareNumber, shareBytes) => {
      await hooks.create?.()
      return hookedWriter(await store.create(storageIndex, shareNumber, shareBytes), hooks)
    },
    read: async (storageIndex, shareNumber) => {
      const reader = await store.read(storageIndex, shareNumber)
      return reader && hookedReader(reader, hooks)
    },
  }
}

function hookedWriter(writer: ShareWriter, hooks: StoreHooks): ShareWriter {
  return {
    write: async (pieces) => {
      await hooks.write?.(pieces.reduce((sum, piece) => sum + piece.length, 0))
      await writer.write(pieces)
    },
    commit: async () => {
      await hooks.commit?.()
      await writer.commit()
    },
    abort: () => writer.abort(),
  }
}

interface HookedReader extends ShareReader {
  /** What the store itself knows it by. */
  inner?: ShareReader
}

function hookedReader(reader: ShareReader, hooks: StoreHooks): HookedReader {
  return {
    inner: reader,
    shareBytes: reader.shareBytes,
    read: async (position, length) => {
      await hooks.read?.(length)
      return reader.read(position, length)
    },
    close: () => reader.close(),
  }
}
