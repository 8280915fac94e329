/** The number of a device as Linux packs it into 64 bits, and its two parts. */

export interface DeviceNumber {
  /** 0 … 2^32-1, as is `minor`. */
  major: number
  minor: number
}

export function splitDevice(device: bigint): DeviceNumber {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn)
  return { major: Number(major), minor: Number(minor) }
}

/** The inverse of `splitDevice`. */
export function joinDevice({ major, minor }: DeviceNumber): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return (
    ((high & 0xfffff000n) << 32n) |
    ((high & 0xfffn) << 8n) |
    ((low & 0xffffff00n) << 12n) |
    (low & 0xffn)
  )
}
