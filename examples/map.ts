/**
 * Keeps settings in a map whose every version stays readable, and lets two devices change it at once.
 *
 *     node dist/examples/map.js
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { attenuate, makeHome, openGrid, openMap } from '../src/index.ts'

const directory = await mkdtemp(path.join(tmpdir(), 'grid-example-'))
const home = path.join(directory, 'home')
await makeHome(home)
const grid = await openGrid({ home })
const text = (value: Uint8Array | undefined): string =>
  value === undefined ? '(none)' : new TextDecoder().decode(value)
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
try {
  // The admin cap makes the other two, and is then kept where no machine can lose it.
  const { admin, append } = await grid.logs.create({ device: 'laptop' })
  const read = attenuate(admin, 'LOG-Read')
  const map = openMap(grid, { read, append })

  await map.set('colour', bytes('green'))
  await map.batch([
    { key: 'colour', value: bytes('blue') },
    { key: 'size/width', value: bytes('640') },
    { key: 'size/height', value: bytes('480') },
  ])
  console.log('colour is', text(await map.get('colour')))
  for await (const { key, value } of map.range({ from: 'size/', to: 'size0' }))
    console.log(text(key), '=', text(value))
  for await (const { device, value } of map.history('colour'))
    console.log('once it was', text(value), 'says', device)

  // A second device has its own append cap; both write at once, and neither loses what it wrote.
  const phone = openMap(grid, { read, append: await grid.logs.grant(admin, { label: 'phone' }) })
  await Promise.all([
    map.set('from', bytes('the laptop')),
    phone.set('from', bytes('the phone')),
    phone.set('other', bytes('1')),
  ])
  const values = [await map.get('from'), ...(await map.conflicts('from'))].map(text)
  console.log('from is', values.join(' and '))
} finally {
  await grid.close()
  await rm(directory, { recursive: true })
}
