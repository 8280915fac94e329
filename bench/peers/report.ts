/**
 * Tables of what `run` measured, as markdown: `report.js WORKDIR [PAGE]`.
 *
 * With PAGE, what lies between its two `tables` comments is replaced. Of several rounds the
 * fastest counts, step by step. In brackets: the ratio to restic on the same data; below 1 is better.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Cell, PeerResults, readResults } from './results.ts'

/** What the others are compared with. */
const reference = 'restic'
const start = '<!-- tables: from here -->'
const end = '<!-- tables: to here -->'

const headings = [
  ...['peer', 'first backup s', 'files/s', 'CPU s', 'server CPU s', 'RSS MiB'],
  ...['unchanged s', 'RSS MiB', 'changed s', '+ MB', 'restore s', 'restored', 'check s', 'prune s'],
  ...['repository MB', 'on disk MB', 'files'],
]

const [directory = '', page] = process.argv.slice(2)
const tables = [limitTable(), ...dataTables(), ...otherTables()].join('\n\n')
if (page === undefined) console.log(tables)
else writeFileSync(page, withTables(readFileSync(page, 'utf8')))

function withTables(text: string): string {
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for tables: ${start} … ${end}`)
  return `${text.slice(0, from + start.length)}\n\n${tables}\n\n${text.slice(to)}`
}

/** A column a data set: the limits are measured anew before each. */
function limitTable(): string {
  const sets = linesOf('data.tsv').map(([name]) => name)
  const found = sets.filter((set) => existsSync(`${directory}/limits-${set}.tsv`))
  const limits = found.map((set) => linesOf(`limits-${set}.tsv`))
  const rows = (limits[0] ?? []).map(([name, , unit], i) => [
    `${name}, ${unit}`,
    ...limits.map((lines) => lines[i][1]),
  ])
  return `### Limits of this machine\n\n${table(['before', ...found], rows)}`
}

function dataTables(): string[] {
  const results = readResults(linesOf('results.tsv'))
  return linesOf('data.tsv')
    .filter(([name]) => results.has(name))
    .map(([name, files, bytes, contents]) => {
      const peers = results.get(name)!
      const size = `${files} files, ${(Number(bytes) / 1e6).toFixed(0)} MB`
      const rows = [...peers].map(([peer, found]) => row(peer, found, peers.get(reference), files))
      return `### ${name}: ${size}, digest ${contents}\n\n${floors(name, Number(bytes))}\n\n${table(headings, rows)}`
    })
}

function row(peer: string, found: PeerResults, other: PeerResults | undefined, files: string) {
  const first = found.best('backup')
  const unchanged = found.best('unchanged')
  const size = found.size('first')
  const grown = (found.size('changed')?.bytes ?? NaN) - (found.size('unchanged')?.bytes ?? NaN)
  const seconds = (step: string): string =>
    timed(found.best(step)) + ratio(goodSeconds(found, step), other && goodSeconds(other, step))
  return [
    peer,
    seconds('backup'),
    number(Number(files) / (goodSeconds(found, 'backup') ?? NaN)),
    number(first?.cpuSeconds),
    number(first?.serverCpuSeconds),
    number(first?.rssMebibytes, 0),
    seconds('unchanged'),
    number(unchanged?.rssMebibytes, 0),
    timed(found.best('changed')),
    number(grown / 1e6),
    seconds('restore'),
    found.restored ?? '-',
    timed(found.best('check')),
    timed(found.best('prune')),
    number((size?.bytes ?? NaN) / 1e6) + ratio(size?.bytes, other?.size('first')?.bytes),
    number((size?.diskBytes ?? NaN) / 1e6),
    String(size?.files ?? '-'),
  ]
}

function goodSeconds(found: PeerResults, step: string): number | undefined {
  const cell = found.best(step)
  return cell?.exit === 0 ? cell.seconds : undefined
}

function timed(cell: Cell | undefined): string {
  if (cell === undefined) return '-'
  return cell.exit === 0 ? number(cell.seconds) : `exit ${cell.exit}`
}

/** What no program can do without, at the speed of this machine's limits. */
function floors(name: string, bytes: number): string {
  const limits = new Map(
    linesOf(`limits-${name}.tsv`).map(([limit, value]) => [limit, Number(value)]),
  )
  const at = (limit: string): string => number(bytes / 1e6 / (limits.get(limit) ?? NaN))
  const [walk, read] = ['walk', 'read'].map((limit) => limits.get(`${limit} of the data`))
  return (
    `Floors: to walk it ${number(walk)} s, to read it ${number(read)} s, SHA-256 of it ${at('SHA-256')} s, ` +
    `AES-256-GCM ${at('AES-256-GCM')} s, to write it with one fsync ${at('write + fsync of 512 MiB')} s.`
  )
}

function ratio(value: number | undefined, other: number | undefined): string {
  return value !== undefined && other ? ` (${(value / other).toFixed(2)})` : ''
}

function number(value: number | undefined, digits = 1): string {
  if (value === undefined || Number.isNaN(value)) return '-'
  return value.toFixed(value >= 100 ? 0 : value < 10 ? 2 : digits)
}

function table(columns: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  const ruler = `|---|${'--:|'.repeat(columns.length - 1)}`
  return [line(columns), ruler, ...rows.map(line)].join('\n')
}

/** What `interrupt` and `fidelity` left in the directory. */
function otherTables(): string[] {
  const titles = { interrupt: 'Killed and run again', fidelity: 'What is kept of awkward files' }
  return Object.entries(titles)
    .filter(([name]) => existsSync(`${directory}/${name}.md`))
    .map(([name, title]) => {
      return `### ${title}\n\n${readFileSync(`${directory}/${name}.md`, 'utf8').trim()}`
    })
}

/** The fields of each line. */
function linesOf(name: string): string[][] {
  const text = readFileSync(`${directory}/${name}`, 'utf8').trim()
  return text === '' ? [] : text.split('\n').map((line) => line.split('\t'))
}
