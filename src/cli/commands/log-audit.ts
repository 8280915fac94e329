import { toBase32 } from '../../base/base32.ts'
import { plainText } from '../../base/plain-text.ts'
import type { LogView } from '../../log/log-view.ts'
import type { Grid } from '../../node/grid.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command, type Context, type Outcome } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { headText, onlyLogCap } from '../log-cap.ts'
import { conclusionText, evidenceFacts, evidenceText, exitOf, nameOf } from '../log-verdict.ts'

export const logAudit: Command = command({
  arguments: [
    { name: 'CAP', summary: 'the LOG-Verify cap, or a stronger one; or ALIAS:', optional: true },
  ],
  options: capOptions,
  examples: [
    ['grid log audit --cap-file log.cap', 'say what each server shows, and whether to believe it'],
    ['grid log audit work:', 'the same of the log behind an alias'],
  ],
  async run(context, call) {
    const cap = await onlyLogCap(call, context, 'LOG-Verify')
    const grid = await openHomeGrid(context)
    try {
      const view = await grid.logs.reader(cap).read({ signal: context.signal })
      await showServers(context, grid, view)
      for (const { author, chain, revocation } of view.chains) {
        if (chain.head === undefined) continue
        const device = nameOf(view, author)
        const head = headText(device, chain.seq, chain.head.id)
        const revoked = revocation === undefined ? '' : `  revoked after ${revocation.lastGoodSeq}`
        const facts = { device, author: toBase32(author), head, revoked: revocation?.lastGoodSeq }
        await context.output.item(facts, `chain   ${head}${revoked}`)
      }
      return await showConclusion(context, view)
    } finally {
      await grid.close()
    }
  },
})

async function showServers({ output }: Context, grid: Grid, view: LogView): Promise<void> {
  for (const { server, verdict, reason, heads } of view.servers) {
    const nickname = plainText(grid.nickname(server), 30)
    const name = nickname === server ? `${server.slice(0, 8)}…${server.slice(-6)}` : nickname
    const why = reason === undefined ? '' : `  ${plainText(reason, 200)}`
    await output.item(
      { server, nickname, verdict, ...(reason && { reason }), chains: heads.length },
      `server  ${name.padEnd(16)}  ${verdict}${why}`,
    )
  }
}

/** Prints the evidence, and ends with what it comes to. */
export async function showConclusion({ output }: Context, view: LogView): Promise<Outcome> {
  const { conclusion } = view
  const { state, answered, quorum, evidence } = conclusion
  for (const piece of evidence)
    await output.item(evidenceFacts(view, piece), `against ${evidenceText(view, piece)}`)
  await output.item({ state, answered, quorum }, conclusionText(conclusion))
  return {
    summary: { state, answered, quorum, evidence: evidence.length },
    exit: exitOf(conclusion),
  }
}
