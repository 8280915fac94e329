/** A client that reads as a careless one would, to see that the simulation finds it out. */
import { equalBytes } from '../../src/base/bytes.ts'
import { GridError } from '../../src/base/errors.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { segmentBytes, storageIndexOf } from '../../src/encoding/descriptor.ts'
import type { CodeRow } from '../../src/encoding/erasure-code.ts'
import { badBlock } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { commitmentBytes, decrypt, sealedLength } from '../../src/encoding/seal.ts'
import { blockLength, parseShareHeader, segmentLength } from '../../src/encoding/share.ts'
import type { BlocksReply } from '../../src/storage/peer.ts'
import { SimClient, type Client, type ClientParts, type PutSummary } from './sim-client.ts'

export interface Carelessness {
  /** Takes blocks as they come, without their hashes. */
  trustsBlocks?: boolean
  /** Takes k replies for k shares. */
  countsDuplicates?: boolean
}

/** Longer files are trees, which it leaves to the true client. */
const longestBytes = 500_000

const code = openErasureCode()

export class CarelessClient implements Client {
  readonly #parts: ClientParts
  readonly #true: SimClient
  readonly #carelessness: Carelessness

  constructor(parts: ClientParts, carelessness: Carelessness) {
    this.#parts = parts
    this.#true = new SimClient(parts)
    this.#carelessness = carelessness
  }

  put(bytes: Uint8Array): Promise<PutSummary> {
    return this.#true.put(bytes)
  }

  async get(cap: string): Promise<Uint8Array> {
    const parsed = parseCap(cap)
    if (parsed.type !== 'CHK' || parsed.sizeBytes > longestBytes) return this.#true.get(cap)
    const replies: BlocksReply[] = []
    for (const { peer } of this.#parts.pool.candidates()) {
      if (replies.length === parsed.k) break
      const request = {
        storageIndex: storageIndexOf(parsed.root),
        shareNumber: undefined,
        header: true,
        firstSegment: 0,
        segmentCount: 4,
        maxBytes: 2 ** 21,
      }
      const reply = await peer.getBlocks(request).catch(() => undefined)
      if (reply !== undefined && this.#takes(reply, replies, parsed)) replies.push(reply)
    }
    if (replies.length === parsed.k) return rebuilt(parsed, replies)
    throw new GridError('E_NOT_ENOUGH_SHARES', `${replies.length} of ${parsed.k} found`)
  }

  #takes(reply: BlocksReply, others: readonly BlocksReply[], { root }: ChkCap): boolean {
    const { countsDuplicates, trustsBlocks } = this.#carelessness
    const known = others.some(({ shareNumber }) => shareNumber === reply.shareNumber)
    if (known && countsDuplicates !== true) return false
    if (trustsBlocks === true) return true
    try {
      const header = parseShareHeader(reply.header)
      if (!equalBytes(header.root, root) || header.shareNumber !== reply.shareNumber) return false
      const { blocks } = reply
      return badBlock({ header, blocks }, 0, header.layout.segmentCount) === undefined
    } catch {
      return false
    }
  }
}

function rebuilt(
  { k, n, sizeBytes, readKey }: ChkCap,
  replies: readonly BlocksReply[],
): Uint8Array {
  const ciphertextBytes = paddedLength(sealedLength(sizeBytes))
  const ciphertext = new Uint8Array(ciphertextBytes + k * segmentBytes)
  let offset = 0
  for (let segment = 0; segment * segmentBytes < ciphertextBytes; segment++) {
    const rowBytes = blockLength(k, segmentLength(ciphertextBytes, segment))
    const rows = replies.map(({ shareNumber, blocks }): CodeRow => {
      const bytes = new Uint8Array(rowBytes)
      bytes.set(blocks.subarray(offset, offset + rowBytes))
      return { rowNumber: shareNumber, bytes }
    })
    const data = Array.from({ length: k }, () => new Uint8Array(rowBytes))
    code.decode(rows, n, data)
    data.forEach((row, i) => ciphertext.set(row, segment * segmentBytes + i * rowBytes))
    offset += rowBytes
  }
  return decrypt(readKey, 0, ciphertext.subarray(commitmentBytes, commitmentBytes + sizeBytes))
}
