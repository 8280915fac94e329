/** The chunker on one core: MB/s of file. */
import { createCipheriv, createHash } from 'node:crypto'
import { ExtentCutter, maxExtentBytes } from '../src/encoding/chunker.ts'
import { bestRate, type Figure } from './figure.ts'

const fileBytes = 64 * 1024 * 1024

export async function benchChunker(): Promise<Figure[]> {
  const cutter = new ExtentCutter(new Uint8Array(32).fill(1))
  const keystream = createCipheriv('aes-256-ctr', new Uint8Array(32), new Uint8Array(16))
  const random = keystream.update(new Uint8Array(fileBytes))
  const zeros = new Uint8Array(fileBytes)
  const rate = (file: Uint8Array): number =>
    bestRate(fileBytes, () => {
      for (let at = 0; at < file.length;) {
        at += cutter.cut(file.subarray(at, at + maxExtentBytes))
      }
    })
  const hashing = bestRate(fileBytes, () => createHash('sha256').update(random).digest())
  const limit = { name: 'SHA-256 of the same', value: hashing }
  return [
    { name: 'cut random bytes', value: rate(random), unit: 'MB/s', limit, reach: '≥ 800 MB/s' },
    { name: 'cut zeros', value: rate(zeros), unit: 'MB/s', limit },
  ]
}
