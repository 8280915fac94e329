/** Chooses the implementation of the erasure code. */
import type { ErasureCode } from './erasure-code.ts'
import { PackageCode } from './package-code.ts'
import { SimdCode } from './simd-code.ts'

export interface OpenCodeOptions {
  /** By default `simd` where the engine has it, else `package`. */
  engine?: 'simd' | 'package'
}

/** An erasure code for one thread, to be kept: each has memory of its own. */
export function openErasureCode(options: OpenCodeOptions = {}): ErasureCode {
  const engine = options.engine ?? (SimdCode.isSupported() ? 'simd' : 'package')
  return engine === 'simd' ? new SimdCode() : new PackageCode()
}
