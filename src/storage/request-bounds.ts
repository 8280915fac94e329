/**
 * What a request must look like, wherever it came from (docs/specs/wire.md, "Verbs"). Everything
 * here is refused with E_BAD_REQUEST before it costs anything.
 */
import { GridError } from '../base/errors.ts'
import { storageIndexBytes } from '../encoding/descriptor.ts'
import { type BlocksRequest, maxHaveIndexes, maxShareBytes, type StorageIndex } from './peer.ts'
import { isShareNumber } from './share-name.ts'

export const nonceBytes = 32

export function checkHave(indexes: readonly StorageIndex[]): void {
  if (indexes.length > maxHaveIndexes) {
    throw badRequest(`${indexes.length} storage indexes, at most ${maxHaveIndexes}`)
  }
  for (const index of indexes) checkStorageIndex(index)
}

export function checkShare(storageIndex: StorageIndex, shareNumber: number): void {
  checkStorageIndex(storageIndex)
  if (!isShareNumber(shareNumber)) throw badRequest('share number out of range')
}

export function checkPut(
  storageIndex: StorageIndex,
  shareNumber: number,
  shareBytes: number,
): void {
  checkShare(storageIndex, shareNumber)
  if (!isCount(shareBytes)) throw badRequest('share length is not a count of bytes')
  if (shareBytes > maxShareBytes) {
    throw new GridError('E_TOO_LARGE', `a share of ${shareBytes} bytes, at most ${maxShareBytes}`)
  }
}

export function checkBlocks(request: BlocksRequest): void {
  const { storageIndex, shareNumber, firstSegment, segmentCount, maxBytes } = request
  checkShare(storageIndex, shareNumber ?? 0)
  for (const count of [firstSegment, segmentCount, maxBytes]) {
    if (!isCount(count)) throw badRequest('a range that is none')
  }
}

export function checkProve(
  storageIndex: StorageIndex,
  shareNumber: number,
  nonce: Uint8Array,
): void {
  checkShare(storageIndex, shareNumber)
  if (!(nonce instanceof Uint8Array) || nonce.length !== nonceBytes) {
    throw badRequest(`a nonce has ${nonceBytes} bytes`)
  }
}

function checkStorageIndex(storageIndex: StorageIndex): void {
  if (!(storageIndex instanceof Uint8Array) || storageIndex.length !== storageIndexBytes) {
    throw badRequest(`a storage index has ${storageIndexBytes} bytes`)
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function badRequest(why: string): GridError {
  return new GridError('E_BAD_REQUEST', `bad request: ${why}`)
}
