/** Why something was left out of a copy, as people are told. */
import { GridError, isGridError } from '../base/errors.ts'
import { formatName, formatPath, type Path } from '../files/path.ts'
import type { Notice, NoticeCode } from '../local/notice.ts'
import { splitPath } from '../local/pattern.ts'
import type { Output } from './output.ts'

/** What was done, though not all of it could be kept: a copy does not promise that. */
const slight: readonly NoticeCode[] = [
  ...(['changed', 'xattrs-unseen', 'xattrs-too-large', 'owner-not-kept', 'mode-not-kept'] as const),
  ...(['xattr-not-kept', 'time-not-kept', 'hard-link-not-kept'] as const),
]
const why: Partial<Record<NoticeCode, string>> = {
  socket: 'sockets are not kept',
  unreadable: 'it cannot be read',
  vanished: 'it is gone',
  name: 'it has no name that can be here',
  order: 'its name comes twice, or out of order',
  collision: 'another has this name here, in other letters',
  'too-deep': 'too many directories in each other',
  special: 'it is neither a file, a directory nor a link',
  'no-space': 'it is larger than all free space',
  size: 'its content is not of the size that its entry says',
  moved: 'its directory was moved away meanwhile',
  failed: 'it cannot be written',
  changed: 'it changed while it was read',
  exists: 'something else has its name',
  'link-in-the-way': 'a symbolic link stands in its place',
  startup: 'it would be run or trusted at the next login; give --startup to restore it',
  content: 'its content could not be had',
  missing: 'it is not there',
  differs: 'it is not what the snapshot holds',
  'xattrs-unseen': 'extended attributes cannot be read here',
  'xattrs-too-large': 'its extended attributes are too large, and not kept',
  'owner-not-kept': 'its owner could not be given',
  'mode-not-kept': 'its mode could not be given',
  'xattr-not-kept': 'an extended attribute could not be given',
  'time-not-kept': 'its time could not be given',
  'hard-link-not-kept': 'it is a file of its own, and no further name of another',
}

/** What a copy leaves out, told once it is asked for. */
export class Refusals {
  readonly #waiting: Notice[] = []

  readonly report = (notice: Notice): void => {
    if (!slight.includes(notice.code)) this.#waiting.push(notice)
  }

  /** Warns of what came since, and counts it; `above` is where their paths begin. */
  async warn(output: Output, count: { skipped: number }, above: Path = []): Promise<void> {
    for (const notice of this.#waiting.splice(0)) {
      count.skipped++
      const shown = formatPath([...above, ...splitPath(notice.path)])
      await output.warning(`${shown}: left out: ${refusalOf(notice).message}`)
    }
  }

  /** Throws the first that came since, if any did. */
  check(): void {
    const [notice] = this.#waiting.splice(0)
    if (notice !== undefined) throw refusalOf(notice)
  }
}

/** Whether it was done all the same, but for something that could not be kept. */
export function isSlight({ code }: Notice): boolean {
  return slight.includes(code)
}

/** What happened, without the path. */
export function noticeText({ code, detail, cause }: Notice): string {
  const said = isGridError(cause) ? cause.message : detail
  return [why[code] ?? code, said].filter((part) => part !== undefined).join(': ')
}

function refusalOf({ code, path, detail, cause }: Notice): GridError {
  if (isGridError(cause) && code === 'content') return cause
  if (code === 'exists' || code === 'link-in-the-way') {
    const name = path.subarray(path.lastIndexOf(0x2f) + 1)
    return new GridError('E_EXISTS', `${formatName(name)} is there already`, {
      hint: 'give another place, or -f to replace files',
    })
  }
  const text = [why[code] ?? code, detail].filter((part) => part !== undefined).join(': ')
  return new GridError('E_FILE', text, { cause })
}
