/** What a walk or a restore reports, told once each, a line at a time. */
import { escapedName } from '../local/escaped-name.ts'
import type { Notice } from '../local/notice.ts'
import type { Output } from './output.ts'
import { noticeText } from './refusal.ts'

export class NoticeLines {
  readonly #output: Output
  readonly #told = new Set<string>()
  readonly #waiting: Notice[] = []

  constructor(output: Output) {
    this.#output = output
  }

  readonly report = (notice: Notice): void => {
    const key = `${notice.code} ${Buffer.from(notice.path).toString('latin1')}`
    if (this.#told.size < this.#told.add(key).size) this.#waiting.push(notice)
  }

  /** Warns of what came since. */
  async tell(): Promise<void> {
    for (const notice of this.#waiting.splice(0)) {
      const { code, path } = notice
      const shown = path.length === 0 ? '' : `${escapedName(path)}: `
      await this.#output.warning(`${shown}${noticeText(notice)}`, { code, path: escapedName(path) })
    }
  }
}
