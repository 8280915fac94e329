/** Stores one large file of a sequence, and sees whether it changed meanwhile. */
import { isGridError } from '../../base/errors.ts'
import { type FileState, isSameState } from '../../encoding/file-reader.ts'
import {
  type FileUploadContext,
  type FileInput,
  type UploadedFile,
  uploadFile,
} from './file-upload.ts'
import type { NamedFile, StoredFile } from './stored-file.ts'

export interface LargeFileContext extends FileUploadContext {
  /** What tells whether an open file was written to. */
  stateOf: (fd: number) => FileState
}

/**
 * As `uploadFile` of tagged extents. An open file that changes while it is read is read once more,
 * from its start; then it is taken as it is, and is `fuzzy`. Extents that are stored are taken over
 * in the first attempt only, and only of a file that is long enough for them.
 */
export async function storeLargeFile(
  context: LargeFileContext,
  input: FileInput,
  options: { signal: AbortSignal },
): Promise<NamedFile> {
  if (!('fd' in input)) return { ...named(await uploadFile(context, input, options)), fuzzy: false }
  const { stateOf } = context
  let before = stateOf(input.fd)
  for (let attempt = 1; ; attempt++) {
    const storedExtents = attempt === 1 ? fitting(context.storedExtents, before) : []
    const file = await contentNow({ ...context, storedExtents }, input, options)
    const after = stateOf(input.fd)
    const isWhole = isSameState(before, after) && file.sizeBytes === after.sizeBytes
    if (isWhole || attempt === 2) return { ...file, fuzzy: !isWhole }
    before = after
  }
}

type File = StoredFile & { stored: Promise<void> }

async function contentNow(
  context: FileUploadContext,
  input: FileInput,
  options: { signal: AbortSignal },
): Promise<File> {
  try {
    return named(await uploadFile(context, input, options))
  } catch (error) {
    if (!isGridError(error, 'E_FILE_CHANGED')) throw error
    const content = { kind: 'lit', content: new Uint8Array(0) } as const
    const stored = Promise.resolve()
    return { ...content, sizeBytes: 0, tag: undefined, extents: [], nodes: [], stored }
  }
}

function named({ content, sizeBytes, extents, nodes, stored }: UploadedFile): File {
  const isTree = content.kind === 'tree'
  const tag = isTree ? undefined : extents[0]?.tag
  return { ...content, sizeBytes, tag, extents: isTree ? extents : [], nodes, stored }
}

function fitting(
  extents: FileUploadContext['storedExtents'] = [],
  { sizeBytes }: FileState,
): FileUploadContext['storedExtents'] {
  const covered = extents.reduce((sum, { plaintextBytes }) => sum + plaintextBytes, 0)
  return covered <= sizeBytes ? extents : []
}
