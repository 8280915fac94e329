/**
 * Six disasters, each with real processes, and what comes back: `npm run trial:drills`
 * (one of them with its name behind it).
 */
import '../../src/base/shim.ts'
import { clientLost } from './drills/client-lost.ts'
import { nodeRestored } from './drills/day-zero.ts'
import { Drill } from './drills/drill.ts'
import { indexLost } from './drills/index-lost.ts'
import { introducerLost } from './drills/introducer-lost.ts'
import { serversWiped } from './drills/servers-wiped.ts'
import { versions } from './drills/versions.ts'

/** In this order: the last one ends the introducer. */
const drills: Record<string, (drill: Drill) => Promise<void>> = {
  'client lost': clientLost,
  'servers wiped': serversWiped,
  'index lost': indexLost,
  'node restored': nodeRestored,
  versions,
  'introducer lost': introducerLost,
}

const wanted = process.argv.slice(2).join(' ')
const chosen = Object.entries(drills).filter(([name]) => wanted === '' || name === wanted)
if (chosen.length === 0) throw new Error(`no such drill; there are ${Object.keys(drills).join()}`)
const startMs = performance.now()
const drill = await Drill.open()
try {
  for (const [name, run] of chosen) {
    console.log(name)
    await run(drill)
  }
  console.log(`all seen, in ${Math.round((performance.now() - startMs) / 1000)} s`)
} finally {
  await drill.close()
}
process.exit(0)
