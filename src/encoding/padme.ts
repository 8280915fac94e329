/**
 * Padmé: lengths rounded up so that they tell little (docs/specs/encoding.md, "Padding").
 *
 * Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
 * PURBs", PETS 2019, §4.
 */
export const minCiphertextBytes = 1024
export const maxCiphertextBytes: number = 2 ** 24

/** The least Padmé length ≥ `length`; `length` ≥ 2. Costs at most 12 %, less as lengths grow. */
export function padme(length: number): number {
  const exponent = 31 - Math.clz32(length)
  const exponentBits = 32 - Math.clz32(exponent)
  const mask = 2 ** Math.max(exponent - exponentBits, 0) - 1
  return Math.ceil(length / (mask + 1)) * (mask + 1)
}

/** The length an object of `contentBytes` sealed bytes is padded to. */
export function paddedLength(contentBytes: number): number {
  return padme(Math.max(contentBytes, minCiphertextBytes))
}
