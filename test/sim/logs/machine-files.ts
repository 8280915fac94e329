/** What a simulated machine keeps of a log on its own disk: pins, and the entry that it has signed last. */
import { fromHex, toHex, utf8 } from '../../../src/base/bytes.ts'
import { type Disk, isDiskError } from '../../../src/base/disk.ts'
import type { LogEntry, SignedHeader } from '../../../src/log/entry.ts'
import type { EntryJournal } from '../../../src/log/entry-journal.ts'
import type { HeadPins } from '../../../src/log/head-pins.ts'

/** Where they lie; there, and durable. */
export const homeDirectory = 'home'

/** Small records, each replaced in one step, durably. */
class Records {
  readonly #disk: Disk
  #serial = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async read(name: string): Promise<unknown> {
    try {
      const file = await this.#disk.openRead(`${homeDirectory}/${name}`)
      const bytes = await file.read(0, 2 ** 20)
      await file.close()
      return JSON.parse(new TextDecoder().decode(bytes))
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw error
    }
  }

  async write(name: string, value: unknown): Promise<void> {
    const temporary = `${homeDirectory}/${name}.${await this.#free()}`
    const file = await this.#disk.create(temporary)
    await file.write([utf8(JSON.stringify(value))], 0)
    await file.sync()
    await file.close()
    await this.#disk.rename(temporary, `${homeDirectory}/${name}`)
    await this.#disk.syncDirectory(homeDirectory)
  }

  /** A number that no file of a life before has. */
  async #free(): Promise<number> {
    if (this.#serial === 0) {
      for (const name of await this.#disk.readDirectory(homeDirectory)) {
        this.#serial = Math.max(this.#serial, Number(name.split('.')[1] ?? 0))
      }
    }
    return ++this.#serial
  }
}

export class DiskPins implements HeadPins {
  readonly #records: Records

  constructor(disk: Disk) {
    this.#records = new Records(disk)
  }

  async load(logId: Uint8Array): Promise<readonly SignedHeader[]> {
    const pins = (await this.#records.read(`pins-${toHex(logId)}`)) as string[][] | undefined
    return (pins ?? []).map(([header, signature]) => {
      return { header: fromHex(header), signature: fromHex(signature) }
    })
  }

  save(logId: Uint8Array, heads: readonly SignedHeader[]): Promise<void> {
    const pins = heads.map(({ header, signature }) => [toHex(header), toHex(signature)])
    return this.#records.write(`pins-${toHex(logId)}`, pins)
  }
}

export class DiskJournal implements EntryJournal {
  readonly #records: Records

  constructor(disk: Disk) {
    this.#records = new Records(disk)
  }

  async load(author: Uint8Array): Promise<LogEntry | undefined> {
    const entry = (await this.#records.read(`entry-${toHex(author)}`)) as string[] | undefined
    if (entry === undefined || entry.length === 0) return undefined
    const [header, signature, body] = entry.map(fromHex)
    return { header, signature, body }
  }

  save(author: Uint8Array, { header, signature, body }: LogEntry): Promise<void> {
    const entry = [header, signature, body ?? new Uint8Array(0)].map(toHex)
    return this.#records.write(`entry-${toHex(author)}`, entry)
  }

  clear(author: Uint8Array): Promise<void> {
    return this.#records.write(`entry-${toHex(author)}`, [])
  }
}
