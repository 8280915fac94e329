/** Numbers of bytes for people: `10GiB` in, `9.8 GiB` out. Binary units are meant unless decimal ones are named. */

const powers = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const unitBytes = new Map<string, number>([['', 1]])
for (const [power, unit] of powers.entries()) {
  unitBytes.set(unit.toLowerCase(), 1024 ** power)
  unitBytes.set(unit.replace('i', '').toLowerCase(), 1000 ** power)
}
const form = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]{0,3})$/i

/** The bytes in `text` such as `1048576`, `10GiB`, `1.5 TB`; undefined for anything else, or above 2^53-1. */
export function parseByteSize(text: string): number | undefined {
  const [, digits, unit] = form.exec(text) ?? []
  const factor = unitBytes.get(unit?.toLowerCase() ?? ' ')
  if (digits === undefined || factor === undefined) return undefined
  const bytes = Math.round(Number(digits) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Three significant digits: `0 B`, `999 B`, `1.00 KiB`, `12.3 MiB`, `1010 GiB`. `bytes` ≥ 0. */
export function formatByteSize(bytes: number): string {
  let power = 0
  let value = bytes
  while (value >= 1023.5 && power < powers.length - 1) {
    value /= 1024
    power++
  }
  const decimals = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(decimals)} ${powers[power]}`
}
