/**
 * Where a node listens or is reached: the few forms of libp2p's multiaddr that TCP needs,
 * `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT`, with `/p2p/PEER-ID` behind where the peer is named.
 */
import type { PeerTarget } from './net.ts'
import { publicKeyOf } from './peer-id.ts'

export interface TcpAddress {
  kind: 'ip4' | 'ip6' | 'dns' | 'dns4' | 'dns6'
  host: string
  /** 0 … 65535; 0 lets the system choose. */
  port: number
  peerId: string | undefined
}

const maxAddressLength = 400
const form = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(0|[1-9]\d{0,4})(?:\/p2p\/([^/]+))?$/
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ip4Form = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
const nameForm = /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?$/i

/** The address in `text`, or undefined where it has another form. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  if (text.length > maxAddressLength) return undefined
  const [, kind = '', host = '', port = '', peerId] = form.exec(text) ?? []
  if (!isHost(kind, host) || Number(port) > 65535) return undefined
  if (peerId !== undefined && publicKeyOf(peerId) === undefined) return undefined
  return { kind: kind as TcpAddress['kind'], host, port: Number(port), peerId }
}

/** The peer that `text` names and where it is reached, or undefined without `/p2p` or a port. */
export function parsePeerAddress(text: string): PeerTarget | undefined {
  const address = parseTcpAddress(text)
  if (address?.peerId === undefined || address.port === 0) return undefined
  return { id: address.peerId, addresses: [text.slice(0, text.lastIndexOf('/p2p/'))] }
}

/**
 * What counts as one origin of connections from `address`: an IPv4 address, or the first 64 bits of an
 * IPv6 one, since one host may have all that lie behind. What is no TCP address stands for itself.
 */
export function originOf(address: string): string {
  const parsed = parseTcpAddress(address)
  if (parsed?.kind !== 'ip6') return parsed?.host ?? address
  const groups = new URL(`tcp://[${parsed.host}]`).hostname.slice(1, -1)
  const [left = '', right] = groups.split('::')
  const high = left === '' ? [] : left.split(':')
  const low = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? 0 : 8 - high.length - low.length
  return [...high, ...Array<string>(zeros).fill('0'), ...low].slice(0, 4).join(':')
}

function isHost(kind: string, host: string): boolean {
  if (kind === 'ip4') return ip4Form.test(host)
  if (kind === 'ip6') return isIp6(host)
  return host.length <= 253 && nameForm.test(host)
}

/** Text forms of RFC 4291 §2.2, without a zone: the URL parser knows them all. */
function isIp6(host: string): boolean {
  return /^[0-9a-f:.]+$/i.test(host) && URL.canParse(`tcp://[${host}]`)
}
