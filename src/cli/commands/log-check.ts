import { fromBase32 } from '../../base/base32.ts'
import { GridError } from '../../base/errors.ts'
import type { Witness } from '../../log/conclusion.ts'
import type { LogView } from '../../log/log-view.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { openHomeGrid } from '../home-grid.ts'
import { authorOf, type HeadName, onlyLogCap, parseHead, shortId } from '../log-cap.ts'
import { list } from '../option.ts'
import { showConclusion } from './log-audit.ts'

/** Bytes of an id that its letters give whole. */
const idBytes = 5
const wholeLetters = 8

export const logCheck: Command = command({
  arguments: [
    { name: 'CAP', summary: 'the LOG-Verify cap, or a stronger one; or ALIAS:', optional: true },
  ],
  options: {
    ...capOptions,
    pin: list(
      '--pin <HEAD>',
      'an entry that must be there, as `log append` printed it; may be given again',
    ),
  },
  examples: [
    [
      'grid log check --pin laptop:12:a2b3c4d5e6 --cap-file log.cap',
      'find out whether servers hide an entry',
    ],
  ],
  async run(context, call) {
    const { signal } = context
    const pins = call.options.pin.map((text) => {
      const head = parseHead(text)
      if (head !== undefined) return head
      throw new GridError('E_USAGE', `"${text}" is not the head of a chain`, {
        hint: 'give it as `grid log append` printed it, such as laptop:12:a2b3c4d5e6',
      })
    })
    if (pins.length === 0) throw new GridError('E_USAGE', 'there is no head to check: give --pin')
    const cap = await onlyLogCap(call, context, 'LOG-Verify')
    const grid = await openHomeGrid(context)
    try {
      const log = grid.logs.reader(cap)
      const first = await log.read({ signal })
      const witnesses = pins.map((pin) => witnessOf(first, pin))
      const view = await log.read({ witnesses, signal })
      const outcome = await showConclusion(context, view)
      const isOther = pins.some((pin, i) => !isShown(view, witnesses[i], pin))
      return isOther ? { ...outcome, exit: exitCodes.integrity } : outcome
    } finally {
      await grid.close()
    }
  },
})

function witnessOf(view: LogView, { device, seq, letters }: HeadName): Witness {
  const id = fromBase32(letters.slice(0, wholeLetters)) ?? new Uint8Array(idBytes)
  return { kind: 'told', author: authorOf(view, device), seq, id }
}

/** Whether all of the letters are those of the entry that is shown. */
function isShown(view: LogView, { author, seq }: Witness, { letters }: HeadName): boolean {
  const chain = view.chainOf(author)?.chain
  return chain !== undefined && seq <= chain.seq && shortId(chain.chain.idAt(seq)) === letters
}
