/** Small files that were put and acknowledged, each of which must come back as it was, by whoever asks. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import type { Ran } from '../command.ts'

/** Each is a process. */
const gotTogether = 4

type Runs = (words: readonly string[], input?: string) => Promise<Ran>

export class SmallFiles {
  readonly #directory: string
  /** By cap. */
  readonly #texts = new Map<string, string>()
  #tries = 0

  /** Local copies go into `directory`, which is made. */
  constructor(directory: string) {
    fs.mkdirSync(directory)
    this.#directory = directory
  }

  /** How many were acknowledged. */
  get count(): number {
    return this.#texts.size
  }

  /** Puts one more with `run`; one that ends with 0 has printed its cap. */
  async put(run: Runs): Promise<Ran> {
    const number = this.#tries++
    const file = `${this.#directory}/put ${number}`
    const text = `some text of ${number}\n`.repeat(100)
    fs.writeFileSync(file, text)
    const ran = await run(['put', file])
    if (ran.exit !== 0) return ran
    const { cap } = ran.lines.find((line) => line.cap !== undefined) ?? {}
    assert.ok(typeof cap === 'string', JSON.stringify(ran.lines))
    this.#texts.set(cap, text)
    return ran
  }

  /** Gets the newest, or the one `back` before it, with `run`; if it ends with 0, each byte is as it was. */
  async get(run: Runs, back = 0): Promise<Ran> {
    const [cap, text] = [...this.#texts].at(-1 - back)!
    const file = `${this.#directory}/got ${this.#tries++}`
    const ran = await run(['get', '--cap-stdin', file], cap)
    if (ran.exit === 0) assert.equal(fs.readFileSync(file, 'utf8'), text)
    return ran
  }

  /** Gets all with `run`, a few at a time; each must come. */
  async mustGetAll(run: Runs): Promise<void> {
    for (let first = 0; first < this.count; first += gotTogether) {
      const length = Math.min(gotTogether, this.count - first)
      const gets = Array.from({ length }, (_, i) => this.get(run, first + i))
      for (const { exit, end } of await Promise.all(gets))
        assert.equal(exit, 0, JSON.stringify(end))
    }
  }
}
