/**
 * Which announced addresses a client may dial (docs/specs/introducer.md, "Addresses"). A stranger's
 * announcement must not make it connect to its own machine, its own network, or the metadata host of
 * its provider.
 */
import { parseTcpAddress } from '../base/multiaddr.ts'

/** `unknown` is what cannot be told without asking somebody: names, and forms that are not TCP. */
export type AddressScope = 'public' | 'private' | 'unknown'

/** First address and prefix length of the IPv4 blocks that are not globally reachable (RFC 6890). */
const private4: readonly (readonly [octets: readonly number[], bits: number])[] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 168, 0, 0], 16],
  [[198, 18, 0, 0], 15],
  [[224, 0, 0, 0], 3],
]

export function addressScope(address: string): AddressScope {
  const parsed = parseTcpAddress(address)
  if (parsed === undefined || parsed.port === 0) return 'unknown'
  if (parsed.kind === 'ip4') return isPrivate4(parsed.host) ? 'private' : 'public'
  if (parsed.kind === 'ip6') return isPublic6(parsed.host) ? 'public' : 'private'
  return 'unknown'
}

/** Those of `addresses` that may be dialled, in their order. */
export function usableAddresses(
  addresses: readonly string[],
  options: { allowPrivate: boolean },
): string[] {
  return addresses.filter((address) => options.allowPrivate || addressScope(address) === 'public')
}

function isPrivate4(host: string): boolean {
  const address = toInteger(host.split('.').map(Number))
  return private4.some(([octets, bits]) => {
    const size = 2 ** (32 - bits)
    return Math.floor(address / size) === Math.floor(toInteger(octets) / size)
  })
}

function toInteger(octets: readonly number[]): number {
  return octets.reduce((value, octet) => value * 256 + octet, 0)
}

/**
 * Only 2000::/3 is given out for global use (RFC 4291). Of it 2002::/16 and 2001:0::/32 carry an IPv4
 * address inside (6to4, Teredo), which could be a private one.
 */
function isPublic6(host: string): boolean {
  const [first = '', second = ''] = new URL(`tcp://[${host}]`).hostname.slice(1).split(':')
  const high = Number.parseInt(first || '0', 16)
  const low = Number.parseInt(second || '0', 16)
  return high >= 0x2000 && high <= 0x3fff && high !== 0x2002 && !(high === 0x2001 && low === 0)
}
