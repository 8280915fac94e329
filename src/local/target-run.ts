/** What all directories of one target share: what the caller wants and what has been made so far. */
import { toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { escapedName } from './escaped-name.ts'
import { LinkGroups } from './link-groups.ts'
import type { NativeCalls } from './native.ts'
import { detailOf, type NoticeCode, type Report } from './notice.ts'
import type { Identity, OpenDirectory } from './open-directory.ts'
import { type Owners, systemOwners } from './owner-names.ts'

export interface TargetOptions {
  report: Report
  random: Random
  /** Without it some of what is asked for cannot be kept, which is reported by entry. */
  native?: NativeCalls | undefined
  /** What becomes of a name that is there and differs: `never` unless given. */
  overwrite?: 'never' | 'newer' | 'always'
  /**
   * Go on where an interrupted run ended: remove the parts that it left, and take what has size and
   * time of its entry as finished. Done unless false, which is for targets that others write to too.
   */
  resume?: boolean
  /** Remove what is in a directory of the target and not in the entries that fill it. */
  delete?: boolean
  /** Write nothing, and say what would be done. */
  dryRun?: boolean
  /**
   * The entries are the user's own: set-id and sticky bits, owners, devices, fifos, ACLs,
   * capabilities and other attributes beyond `user.` are given as far as the system allows.
   */
  trusted?: boolean
  numericIds?: boolean
  /** The user's home directory. What a login would run there is refused unless `startup` is set. */
  home?: string
  startup?: boolean
  /** Take files larger than all free space, since they may be mostly holes. */
  beyondFree?: boolean
  /** Sync each file before it gets its name. */
  sync?: boolean
  /** Two names that differ in case or composition only are one: found out by trying unless given. */
  foldsNames?: boolean
  /** Refuse names that Windows would change: there, unless given. */
  windowsNames?: boolean
  owners?: Owners
  maxDepth?: number
  /** Told of everything that `delete` removes, or would. */
  onDelete?: (path: Uint8Array) => void
}

/** Errors after which nothing else could be written either. */
const fatalCodes = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']
const partRandomBytes = 8
const namesAtOnce = 64
const partPattern = /^\.grid-[a-z2-7]{13}\.part$/

export class TargetRun {
  readonly options: TargetOptions
  readonly owners: Owners
  readonly links: LinkGroups = new LinkGroups()
  readonly root: OpenDirectory | undefined
  readonly home: Identity | undefined
  readonly foldsNames: boolean
  /** Random bytes for names: to ask for each by itself takes longer than to make a file. */
  #spare: Uint8Array = new Uint8Array(0)
  #spareAt = 0

  constructor(
    options: TargetOptions,
    found: { root: OpenDirectory | undefined; home: Identity | undefined; foldsNames: boolean },
  ) {
    this.options = options
    this.owners = options.owners ?? systemOwners()
    this.root = found.root
    this.home = found.home
    this.foldsNames = found.foldsNames
  }

  report(code: NoticeCode, path: Uint8Array, detail?: string, cause?: unknown): void {
    const notice = { code, path }
    this.options.report({
      ...notice,
      ...(detail === undefined ? {} : { detail }),
      ...(cause === undefined ? {} : { cause }),
    })
  }

  /**
   * Reports what the system refused. Throws E_FILE where it would refuse everything from now on,
   * and what did not come from the system.
   */
  failed(error: unknown, path: Uint8Array): void {
    if (!isSystemError(error)) throw error
    if (isDiskError(error, ...fatalCodes))
      throw asGridError(error, 'E_FILE', `cannot write ${escapedName(path)}`)
    this.report('failed', path, detailOf(error), error)
  }

  /** A name for what is not whole yet. */
  partName(): Uint8Array {
    if (this.#spareAt >= this.#spare.length) {
      this.#spare = this.options.random.bytes(partRandomBytes * namesAtOnce)
      this.#spareAt = 0
    }
    const start = this.#spareAt
    this.#spareAt += partRandomBytes
    return partNameOf(this.#spare.subarray(start, this.#spareAt))
  }
}

/** Codes of Node's own mistakes and of Grid's errors have an underscore. */
function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error && /^E[A-Z0-9]+$/.test(String((error as NodeJS.ErrnoException).code))
  )
}

export function partName(random: Random): Uint8Array {
  return partNameOf(random.bytes(partRandomBytes))
}

function partNameOf(bytes: Uint8Array): Uint8Array {
  return utf8(`.grid-${toBase32(bytes)}.part`)
}

/** Whether the name is one that an interrupted run may have left. */
export function isPartName(name: Uint8Array): boolean {
  return partPattern.test(Buffer.from(name).toString('latin1'))
}
