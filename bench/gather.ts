import type { Grid } from '../src/node/grid.ts'

/** Resolves once `count` servers have answered the client, so that its connections are warm. */
export async function gather(client: Grid, count: number): Promise<void> {
  for (;;) {
    const answered = (await client.status()).filter(({ status }) => status !== undefined)
    if (answered.length === count) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
