/**
 * What fails together with a server (docs/specs/placement.md, "Failure domains"): labels that its
 * operator gave it, such as `operator=alice,site=berlin`, and the network that its addresses are in.
 * Two servers that share any label share a domain.
 */
import { parseTcpAddress } from '../../base/multiaddr.ts'
import { addressScope } from '../../introducer/address-scope.ts'

/** Labels of one server that count; what is beyond them would only slow placement down. */
const maxLabels = 16

/** The labels in `domain`, each once, the first 16; none where nothing is said. */
export function labelsOf(domain: string | undefined): string[] {
  const words = (domain ?? '').split(',').map((word) => word.trim())
  return [...new Set(words.filter((word) => word !== ''))].slice(0, maxLabels)
}

/**
 * The domain of a server that says it is in `declared` and is reached at `addresses` (multiaddrs).
 * The network comes before what it declares: ten servers of one /24 are in one place, whatever they
 * say of themselves, and however much.
 */
export function domainOf(declared: string, addresses: readonly string[]): string | undefined {
  const networks = addresses.flatMap((address) => networkOf(address) ?? [])
  const own = labelsOf(declared).filter((label) => !label.startsWith('net='))
  const labels = labelsOf([...networks, ...own].join(','))
  return labels.length === 0 ? undefined : labels.join(',')
}

/** `net=192.0.2.0/24`, or the /48 of an IPv6 address; undefined for a name, and for what is not public. */
export function networkOf(address: string): string | undefined {
  const parsed = parseTcpAddress(address)
  if (parsed === undefined || addressScope(address) !== 'public') return undefined
  if (parsed.kind === 'ip4') return `net=${parsed.host.split('.').slice(0, 3).join('.')}.0/24`
  const [a = '0', b = '0', c = '0'] = groupsOf(parsed.host)
  return `net=${a}:${b}:${c}::/48`
}

/** The eight groups of an IPv6 address, each without leading zeros. */
function groupsOf(host: string): string[] {
  const [head = '', tail] = new URL(`tcp://[${host}]`).hostname.slice(1, -1).split('::')
  const first = head === '' ? [] : head.split(':')
  if (tail === undefined) return first
  const last = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return [...first, ...zeros, ...last]
}
