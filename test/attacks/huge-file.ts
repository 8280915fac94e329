/** A file of 12 GiB and a little that takes little room: two extents by turns, and a tree above them. */
import { convergenceKeys } from '../../src/caps/keys.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { sealedLength } from '../../src/encoding/seal.ts'
import { uploadObject } from '../../src/node/objects/object-upload.ts'
import { PeerHealth } from '../../src/node/peers/peer-health.ts'
import type { ExtentRow } from '../../src/tree/file-node.ts'
import { FileTreeWriter } from '../../src/tree/file-writer.ts'
import { LoneNodes } from '../../src/tree/node-sink.ts'
import { plainStream } from '../../src/tree/stream-row.ts'
import { type AttackedGrid, content } from './attacked-grid.ts'

const secret = new Uint8Array(32).fill(1)
const redundancy = { k: 3, happy: 7, n: 10 }
const extentBytes = 2 ** 19
const extents = [content(extentBytes), content(extentBytes, 1)]
const tail = content(101, 2)
const extentCount = (12 * 2 ** 30) / extentBytes

export const hugeBytes: number = extentCount * extentBytes + tail.length

/** Bytes [start, end) of the file, as they should be. */
export function hugeContent(start: number, end: number): Uint8Array {
  return Uint8Array.from({ length: end - start }, (_, i) => {
    const [number, offset] = [Math.floor((start + i) / extentBytes), (start + i) % extentBytes]
    return number === extentCount ? tail[offset] : extents[number % 2][offset]
  })
}

/** Puts the file; resolves to its cap. */
export async function putHuge(attacked: AttackedGrid): Promise<string> {
  const rows = [await rowOf(attacked, extents[0]), await rowOf(attacked, extents[1])]
  const encoder = new InlineEncoder(openErasureCode())
  const { clock, random } = attacked
  const context = { clock, random, health: new PeerHealth(clock) }
  const coding = { k: redundancy.k, n: redundancy.n }
  const tree = new FileTreeWriter(
    convergenceKeys(secret),
    new LoneNodes(async (slice) => {
      const object = await encoder.content(slice, { secret, coding, profile: 'cdc' })
      await attacked.run(uploadObject(context, attacked.candidates, object, redundancy))
      const { root, ciphertextBytes } = object
      return { root, ...coding, ciphertextBytes }
    }),
  )
  for (let i = 0; i < extentCount; i++) await tree.add(rows[i % 2])
  await tree.add(await rowOf(attacked, tail))
  const { object, readKey } = await tree.finish()
  return formatCap({ type: 'CHK', readKey, root: object.root, ...coding, sizeBytes: hugeBytes })
}

async function rowOf(attacked: AttackedGrid, bytes: Uint8Array): Promise<ExtentRow> {
  const { cap } = await attacked.put(bytes)
  const { root, k, n, readKey } = parseCap(cap) as ChkCap
  const ciphertextBytes = paddedLength(sealedLength(bytes.length))
  return plainStream({ root, k, n, ciphertextBytes }, bytes.length, readKey)
}
