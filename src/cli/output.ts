/**
 * What a command says. For people: results on stdout, all else on stderr. With --json: one object a
 * line, `{"v":1,"type":…}`, and exactly one summary or error, which is the last. Only a result may
 * hold a cap; every other line is scrubbed.
 */
import { styleText } from 'node:util'
import { plainText } from '../base/plain-text.ts'
import { asGridError, errorText, type GridError } from '../base/errors.ts'
import { exitCodeFor } from './exit-codes.ts'
import type { Screen } from './screen.ts'
import { scrub } from '../caps/scrub.ts'
import type { Sink } from './world.ts'

/** Plain data; `v` and `type` are the line's own. */
export type Facts = Readonly<Record<string, unknown>> & { v?: never; type?: never }

export interface OutputOptions {
  stdout: Sink
  screen: Screen
  json: boolean
  /** Whether stdout is for data alone, so that JSON goes to stderr. */
  dataOnStdout: boolean
  quiet: boolean
  colour: boolean
}

export class Output {
  readonly #options: OutputOptions

  constructor(options: OutputOptions) {
    this.#options = options
  }

  get json(): boolean {
    return this.#options.json
  }

  /** A result that was asked for: the only thing that may hold a cap. */
  async item(facts: Facts, text: string): Promise<void> {
    const { stdout, screen, json } = this.#options
    if (json) return this.#line('item', facts, (line) => line)
    screen.draw('')
    await stdout.write(`${text}\n`)
  }

  /** Data, as it is; only from a command that said so. */
  async data(bytes: Uint8Array): Promise<void> {
    await this.#options.stdout.write(bytes)
  }

  /** Says something in passing, to people. */
  note(text: string): void {
    const { screen, json, quiet } = this.#options
    if (!json && !quiet) screen.print(shown(text))
  }

  /** Something is not as it should be, and the command goes on. */
  async warning(message: string, facts: Facts = {}): Promise<void> {
    if (this.#options.json) await this.#line('warning', { message, ...facts })
    else this.#options.screen.print(`${this.#paint('yellow', 'warning:')} ${shown(message)}`)
  }

  /** In passing: if nobody reads, the next result will tell. */
  progress(facts: Facts): void {
    this.#line('progress', facts).catch(() => {})
  }

  /** The last line of a command that did what it should. */
  async summary(facts: Facts, text: string | undefined): Promise<void> {
    if (this.#options.json) await this.#line('summary', facts)
    else if (text !== undefined) this.note(text)
  }

  /** The last line of a command that did not. */
  async error(thrown: unknown): Promise<void> {
    const error = asGridError(thrown, 'E_INTERNAL', 'internal error')
    const { code, message, hint, facts } = error
    if (this.#options.json) {
      const exit = exitCodeFor(error)
      await this.#line('error', { code, exit, message, ...(hint && { hint }), details: facts })
      return
    }
    const { screen } = this.#options
    screen.draw('')
    screen.print(`${this.#paint('red', 'error:')} ${shown(message)}`)
    for (const cause of causesOf(error)) screen.print(`cause: ${shown(cause)}`)
    if (hint !== undefined) screen.print(`try: ${shown(hint)}`)
  }

  async #line(type: string, facts: Facts, clean = scrub): Promise<void> {
    const { stdout, screen, dataOnStdout } = this.#options
    const line = JSON.stringify({ v: 1, type, ...facts })
    if (dataOnStdout) screen.print(scrub(line))
    else await stdout.write(`${clean(line)}\n`)
  }

  #paint(colour: 'red' | 'yellow', text: string): string {
    return this.#options.colour ? styleText([colour, 'bold'], text) : text
  }
}

/** What stands behind an error, outermost first, without what its message says already. */
function causesOf(error: GridError): string[] {
  const problems = error.facts.problems
  const causes = Array.isArray(problems) ? problems.slice(1).map(String) : []
  let cause = error.cause
  for (let depth = 0; depth < 4 && cause instanceof Error; depth++) {
    const text = errorText(cause)
    if (error.code !== 'E_FILE' && !error.message.includes(text)) causes.push(text)
    cause = cause.cause
  }
  return causes
}

/** Without what could confuse a terminal, and without caps. */
function shown(text: string): string {
  return plainText(scrub(text), 400)
}
