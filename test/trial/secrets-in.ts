/** Looks for secrets in every byte of a folder, as whoever has stolen it would. */
import fs from 'node:fs'
import path from 'node:path'
import { toBase32 } from '../../src/base/base32.ts'

/** Files below `folder` that hold any of the secrets, as bytes, in base32, base64 or hexadecimal. */
export function secretsIn(folder: string, secrets: readonly Uint8Array[]): string[] {
  const shapes = secrets.flatMap((secret) => {
    const bytes = Buffer.from(secret)
    const base32 = toBase32(secret)
    const hex = bytes.toString('hex')
    const texts = [base32, base32.toUpperCase(), hex, hex.toUpperCase()]
    const base64 = [bytes.toString('base64'), bytes.toString('base64url')]
    return [bytes, ...[...texts, ...base64].map((text) => Buffer.from(text))]
  })
  return filesBelow(folder).filter((file) => {
    const content = fs.readFileSync(file)
    return shapes.some((shape) => content.includes(shape) || file.includes(shape.toString()))
  })
}

export function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
}
