/**
 * A node's events on disk: `<home>/events/<number>`, lines of JSON, at most ten files of 1 MiB. A file is only
 * added to by the process that made it. They are for reading later, so nothing is synced for them: a
 * power cut may take the last ones.
 */
import path from 'node:path'
import { concat, utf8 } from '../../base/bytes.ts'
import { type Disk, type DiskFile, isDiskError } from '../../base/disk.ts'
import { formatEvent, type NodeEvent, parseEvent } from './node-event.ts'

const maxFileBytes = 2 ** 20
const maxFiles = 10

export class EventFile {
  readonly #disk: Disk
  readonly #directory: string
  #number = 0
  #file: DiskFile | undefined
  #bytes = 0

  /** `directory` is made when it is needed. */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** The newest `limit` events, ascending. Throws what the disk throws, but for a directory that is not there. */
  async read(limit: number): Promise<NodeEvent[]> {
    const events: NodeEvent[] = []
    for (const number of (await this.#numbers()).reverse()) {
      const lines = (await this.#textOf(number)).split('\n')
      events.unshift(...lines.flatMap((line) => parseEvent(line) ?? []))
      if (events.length >= limit) break
    }
    return events.slice(-limit)
  }

  /** Adds events behind all others. Throws what the disk throws. */
  async add(events: readonly NodeEvent[]): Promise<void> {
    const bytes = concat(...events.map((event) => utf8(`${formatEvent(event)}\n`)))
    if (this.#file === undefined || this.#bytes + bytes.length > maxFileBytes) await this.#begin()
    await this.#file!.write([bytes], this.#bytes)
    this.#bytes += bytes.length
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.sync()
    await file?.close()
  }

  /** A new file, which begins with what a small last one of another process has: restarts leave no heap of files. */
  async #begin(): Promise<void> {
    await this.close()
    await this.#disk.makeDirectory(this.#directory)
    const numbers = await this.#numbers()
    const last = numbers[numbers.length - 1] ?? 0
    const isOwn = last === this.#number
    const text = isOwn || last === 0 ? '' : await this.#textOf(last)
    this.#number = last + 1
    this.#file = await this.#disk.create(this.#pathOf(this.#number))
    this.#bytes = 0
    const gone = numbers.slice(0, Math.max(0, numbers.length + 1 - maxFiles))
    if (text !== '' && text.length < maxFileBytes / 2) {
      const whole = utf8(text.slice(0, text.lastIndexOf('\n') + 1))
      await this.#file.write([whole], 0)
      this.#bytes = whole.length
      gone.push(last)
    }
    for (const number of new Set(gone)) await this.#disk.unlink(this.#pathOf(number))
  }

  async #textOf(number: number): Promise<string> {
    const file = await this.#disk.openRead(this.#pathOf(number))
    try {
      const length = Math.min(await file.size(), 2 * maxFileBytes)
      return new TextDecoder().decode(await file.read(0, length))
    } finally {
      await file.close()
    }
  }

  async #numbers(): Promise<number[]> {
    try {
      const names = await this.#disk.readDirectory(this.#directory)
      const numbers = names.filter((name) => /^[1-9]\d{0,9}$/.test(name)).map(Number)
      return numbers.sort((a, b) => a - b)
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return []
      throw error
    }
  }

  #pathOf(number: number): string {
    return path.join(this.#directory, String(number))
  }
}
