/**
 * A directory of this machine that is written into by an opened handle: no link that somebody puts
 * in its way meanwhile is followed, and nothing is written outside of it.
 */
import { constants, existsSync } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { toBase32 } from '../base/base32.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { formatName } from '../files/path.ts'
import type { Attributes } from '../files/same-entry.ts'
import { checkName } from '../tree/entry.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_WRONLY, O_CREAT, O_EXCL } = constants
/** Where the system gives opened directories names of their own. */
const descriptors = '/proc/self/fd'
const permissions = 0o777

export class LocalDirectory {
  readonly #handle: FileHandle
  /** What names it whatever becomes of its path; its path where the system has none. */
  readonly #anchor: Uint8Array
  readonly #isAnchored: boolean

  private constructor(handle: FileHandle, path: Uint8Array) {
    this.#handle = handle
    this.#isAnchored = existsSync(descriptors)
    this.#anchor = this.#isAnchored ? utf8(`${descriptors}/${handle.fd}`) : path
  }

  /** Opens the directory that `path` leads to, by links too: it is the user's own word. */
  static async open(path: string): Promise<LocalDirectory> {
    const real = await fs.realpath(path)
    return new LocalDirectory(await fs.open(real, O_RDONLY | O_DIRECTORY), utf8(real))
  }

  /** Opens a directory in it, which is made if it is not there. Throws E_EXISTS for a link or a file. */
  async enter(name: Uint8Array): Promise<LocalDirectory> {
    const at = await this.#at(name)
    await fs.mkdir(at, 0o700).catch((error: unknown) => {
      if (!isDiskError(error, 'EEXIST')) throw error
    })
    try {
      const handle = await fs.open(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      return new LocalDirectory(handle, at)
    } catch (error) {
      if (isDiskError(error, 'ELOOP', 'ENOTDIR')) throw taken(name)
      throw error
    }
  }

  /** Whether something is there under this name, a link that leads nowhere too. */
  async has(name: Uint8Array): Promise<boolean> {
    return fs.lstat(await this.#at(name)).then(
      () => true,
      () => false,
    )
  }

  /**
   * Makes a file, which appears under its name once all of it is written.
   *
   * @param replace - whether a file or link of that name may be replaced
   * @throws E_EXISTS, or what `pieces` throw: then nothing is left behind
   */
  async makeFile(
    name: Uint8Array,
    pieces: AsyncIterable<Uint8Array>,
    attributes: Attributes,
    { replace, random }: { replace: boolean; random: Random },
  ): Promise<void> {
    if (!replace && (await this.has(name))) throw taken(name)
    const part = await this.#at(utf8(`.grid-${toBase32(random.bytes(10))}.part`))
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const file = await fs.open(part, flags, 0o600)
    try {
      try {
        for await (const piece of pieces) await file.writeFile(piece)
        await setAttributes(file, attributes)
      } finally {
        await file.close()
      }
      const at = await this.#at(name)
      if (replace) await fs.rename(part, at)
      else {
        await fs.link(part, at)
        await fs.unlink(part)
      }
    } catch (error) {
      await fs.rm(part, { force: true })
      if (isDiskError(error, 'EEXIST', 'EISDIR', 'ENOTEMPTY')) throw taken(name)
      throw error
    }
  }

  /** Makes a symbolic link, which is never followed here. Throws E_EXISTS. */
  async makeLink(name: Uint8Array, target: Uint8Array): Promise<void> {
    try {
      await fs.symlink(Buffer.from(target), await this.#at(name))
    } catch (error) {
      if (isDiskError(error, 'EEXIST')) throw taken(name)
      throw error
    }
  }

  async close(attributes?: Attributes): Promise<void> {
    try {
      if (attributes !== undefined) await setAttributes(this.#handle, attributes)
    } finally {
      await this.#handle.close()
    }
  }

  /** The name in this very directory, whatever has been put in its place. */
  async #at(name: Uint8Array): Promise<Buffer> {
    checkName(name)
    if (!this.#isAnchored) await this.#checkPlace()
    return Buffer.from(concat(this.#anchor, utf8('/'), name))
  }

  async #checkPlace(): Promise<void> {
    const [now, opened] = [await fs.lstat(Buffer.from(this.#anchor)), await this.#handle.stat()]
    if (now.ino === opened.ino && now.dev === opened.dev) return
    throw new GridError('E_FILE_CHANGED', 'a directory was moved away while it was written into')
  }
}

/** Without set-id and sticky bits, which would do what nobody here asked for. */
async function setAttributes(file: FileHandle, { mode, mtime }: Attributes): Promise<void> {
  const seconds = mtime.seconds + mtime.nanoseconds / 1e9
  await file.utimes(seconds, seconds)
  await file.chmod(mode & permissions)
}

function taken(name: Uint8Array): GridError {
  return new GridError('E_EXISTS', `${formatName(name)} is there already`, {
    hint: 'give another place, or -f to replace files',
  })
}
