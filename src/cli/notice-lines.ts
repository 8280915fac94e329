/** Tells what a backup or a restore could not do as it should, and how often. */
import { escapedName } from '../local/escaped-name.ts'
import type { Notice, Report } from '../local/notice.ts'
import type { Output } from './output.ts'
import { isSlight, noticeText } from './refusal.ts'

/** Of each thing that was not kept so many are told one by one; it may be one of every file. */
const toldEach = 10

export class NoticeLines {
  readonly #waiting: Notice[] = []
  readonly #told = new Set<string>()
  readonly #slight = new Map<Notice['code'], number>()
  /** How many came, and how many of them say that something was left out. */
  count = 0
  refused = 0

  /** The same again, from another walk over the tree, is not told again. */
  readonly report: Report = (notice) => {
    const key = `${notice.code} ${Buffer.from(notice.path).toString('latin1')} ${notice.detail}`
    if (this.#told.size === this.#told.add(key).size) return
    this.count++
    if (notice.code === 'missing' || notice.code === 'differs') this.#waiting.push(notice)
    else if (!isSlight(notice)) {
      this.refused++
      this.#waiting.push(notice)
    } else {
      const before = this.#slight.get(notice.code) ?? 0
      this.#slight.set(notice.code, before + 1)
      if (before < toldEach) this.#waiting.push(notice)
    }
  }

  /** Warns of what came since. */
  async tell(output: Output): Promise<void> {
    for (const notice of this.#waiting.splice(0)) {
      const path = escapedName(notice.path)
      const shown = path === '' ? '.' : path
      await output.warning(`${shown}: ${noticeText(notice)}`, { code: notice.code, path })
    }
  }

  /** At the end: also how many there were of what was not told one by one. */
  async tellRest(output: Output): Promise<void> {
    await this.tell(output)
    for (const [code, count] of this.#slight) {
      const more = count - toldEach
      if (more <= 0) continue
      const text = noticeText({ code, path: new Uint8Array(0) })
      await output.warning(`of ${more} more: ${text}`, { code, more })
    }
  }
}
