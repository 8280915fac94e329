/**
 * Makes a golden directory: what this version leaves on a disk, for later versions to open. Run once for a format, then never
 * again: `node dist/test/golden/make.js test/golden/v1` refuses where one is. It is a grid in one folder, the home that
 * backed a tree up into it, and the printed kit; its secrets are worth nothing.
 */
import '../../src/base/shim.ts'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mustGrid, printedBy } from '../trial/command.ts'

const [target = ''] = process.argv.slice(2)
fs.mkdirSync(target)
const work = fs.mkdtempSync(path.join(tmpdir(), 'grid-golden-'))
const at = (...names: string[]): string => path.join(work, ...names)
fs.mkdirSync(at('tree/below'), { recursive: true })
fs.writeFileSync(at('tree/small'), 'golden\n')
fs.writeFileSync(at('tree/below/larger'), 'some text that repeats itself\n'.repeat(2000))
fs.symlinkSync('../small', at('tree/below/link'))
const one = ['--k', '1', '--happy', '1', '--n', '1', '--device', 'box', '--read']
const kit = await printedBy(at('home'), ['backup', 'init', '--disks', at('disk'), ...one])
await mustGrid(at('home'), ['backup', at('tree')])
fs.appendFileSync(at('tree/small'), 'and more\n')
await mustGrid(at('home'), ['backup', at('tree')])
for (const name of ['home', 'disk', 'tree'])
  fs.cpSync(at(name), path.join(target, name), { recursive: true, verbatimSymlinks: true })
fs.writeFileSync(path.join(target, 'kit.txt'), kit)
for (const name of fs.readdirSync(target, { recursive: true, encoding: 'utf8' }))
  if (/\.(lock|sock)$|lock\.mdb$/.test(name)) fs.rmSync(path.join(target, name), { force: true })
fs.rmSync(work, { recursive: true })
