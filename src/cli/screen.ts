/** The terminal's side (stderr): lines that stay, and one line at the bottom that is drawn over. */
import type { Sink } from './world.ts'

const eraseLine = '\r\u001b[K'

export class Screen {
  readonly #sink: Sink
  #live = ''

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Whether a line can be drawn over. */
  get isTerminal(): boolean {
    return this.#sink.isTerminal
  }

  /** Writes lines that stay, above the live one. */
  print(text: string): void {
    this.#write(this.#live === '' ? `${text}\n` : `${eraseLine}${text}\n${this.#live}`)
  }

  /** Draws the live line anew, cut to the width; '' takes it away. */
  draw(text: string): void {
    const line = Array.from(text)
      .slice(0, this.#sink.columns - 1)
      .join('')
    if (line === this.#live) return
    this.#live = line
    this.#write(eraseLine + line)
  }

  /** What cannot be said cannot be complained about either. */
  #write(text: string): void {
    this.#sink.write(text).catch(() => {})
  }
}
