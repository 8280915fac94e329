/**
 * The folders that a home had before it joined a grid stay readable beside the grid's servers, and so
 * do logs in them; nothing new is put there.
 */
import type { Candidate } from './candidate.ts'
import { type EmbeddedOptions, openEmbeddedPeers } from './embedded-peers.ts'
import type { PeerPool } from './peer-pool.ts'

/** What fails together with a kept folder is every other one. */
const domain = 'this machine'

/** `pool`, which it owns from now on, and the folders that there are behind it. Throws E_IO. */
export async function withKeptFolders(pool: PeerPool, options: EmbeddedOptions): Promise<PeerPool> {
  const folders = await openEmbeddedPeers({ ...options, isKept: true })
  const kept = folders.candidates().map((each): Candidate => ({ ...each, domain, accepts: false }))
  if (kept.length === 0) return pool
  const ids = new Set(kept.map(({ id }) => id))
  return {
    ready: (waiting) => pool.ready(waiting),
    candidates: () => [...pool.candidates().filter(({ id }) => !ids.has(id)), ...kept],
    note: () => pool.note(),
    nickname: (id) => (ids.has(id) ? folders.nickname(id) : pool.nickname(id)),
    folders: folders.folders,
    introducers: async (waiting) => (await pool.introducers?.(waiting)) ?? [],
    async close() {
      await pool.close()
      await folders.close()
    },
  }
}
