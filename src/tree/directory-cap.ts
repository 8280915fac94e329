/** Caps of directories and of entries, and what they name (docs/specs/directory.md, "Caps"). */
import type {
  ChkCap,
  ChkSliceCap,
  ChkVerifierCap,
  DirChkCap,
  DirChkVerifierCap,
  LitCap,
} from '../caps/cap.ts'
import { compressions } from '../encoding/compression.ts'
import type { DirectoryEntry } from './entry.ts'
import type { NodeName } from './node-ref.ts'
import type { StreamName, StreamRef } from './stream-row.ts'
import type { VerifyName } from './verify-walk.ts'

/** The cap that reads a directory and everything below it. Its object must have been finished. */
export function capOfDirectory({ object, offset, sliceBytes, readKey }: NodeName): DirChkCap {
  const { root, k, n } = object
  return { type: 'DIR-CHK', readKey, root, k, n, sliceBytes, offsetBytes: offset }
}

/** The inverse of `capOfDirectory`. */
export function directoryOfCap(cap: DirChkCap): NodeName {
  const { readKey, root, k, n, sliceBytes, offsetBytes } = cap
  return { object: { root, k, n }, offset: offsetBytes, sliceBytes, readKey }
}

/** What `walkVerify` starts from; undefined for a cap of one object only, which holds no key. */
export function verifyNameOf(cap: DirChkVerifierCap | ChkVerifierCap): VerifyName | undefined {
  const { verifyKey, root, k, n, offsetBytes } = cap
  return verifyKey && { object: { root, k, n }, offset: offsetBytes, verifyKey }
}

/**
 * The cap of one entry, which reads it and what is below it; undefined where there is nothing to
 * read, and for a large file whose root node is not at the start of its object, which no cap names.
 */
export function capOfEntry({
  kind,
  content,
}: DirectoryEntry): LitCap | ChkCap | ChkSliceCap | DirChkCap | undefined {
  switch (kind) {
    case 'lit':
      return { type: 'LIT', data: content }
    case 'file':
      return capOfStream(content)
    case 'tree': {
      const { object, offset, readKey, plaintextBytes: sizeBytes } = content
      const { root, k, n } = object
      return offset === 0 ? { type: 'CHK', readKey, root, k, n, sizeBytes } : undefined
    }
    case 'directory':
      return capOfDirectory(content)
    default:
      return undefined
  }
}

/** What a slice cap reads. */
export function streamOfCap(cap: ChkSliceCap): StreamName {
  const { readKey, root, k, n, sizeBytes, offsetBytes, codec, storedBytes } = cap
  const shape = {
    readKey,
    plaintextBytes: sizeBytes,
    compression: compressions[codec],
    storedBytes,
  }
  return { object: { root, k, n }, offset: offsetBytes, ...shape }
}

/** A slice, or the plain cap of a stream that is stored as it is at the start of its object. */
function capOfStream(stream: StreamRef): ChkCap | ChkSliceCap {
  const { object, offset, readKey, plaintextBytes: sizeBytes, compression, storedBytes } = stream
  const { root, k, n } = object
  if (offset === 0 && compression === 'stored')
    return { type: 'CHK', readKey, root, k, n, sizeBytes }
  const codec = compressions.indexOf(compression)
  const place = { offsetBytes: offset, codec, storedBytes }
  return { type: 'CHK-Slice', readKey, root, k, n, sizeBytes, ...place }
}
