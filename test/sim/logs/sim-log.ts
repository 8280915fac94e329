/** The log of a run: its keys, and those of the servers and devices around it. */
import { compareBytes, utf8 } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import {
  bodyHashOf,
  type EntryHeader,
  entryIdOf,
  formatHeader,
  signHeader,
  skipOf,
} from '../../../src/log/entry.ts'
import { formatGenesis, logIdOf } from '../../../src/log/genesis.ts'
import { type LogKeys, logKeysOf } from '../../../src/log/log-keys.ts'
import type { KeptEntry } from '../../../src/log/log-peer.ts'
import type { Branch } from '../../../src/storage/log-faults.ts'
import type { NodeKey } from '../../../src/storage/log-judge.ts'

const keyPairs = new Map<string, NodeKey>()

/** The same for every run, since making keys takes time. */
function keyPairOf(name: string): NodeKey {
  const known = keyPairs.get(name)
  if (known !== undefined) return known
  const seed = sha256(utf8(`simulated ${name}`))
  const pair = { seed, publicKey: publicKeyOfSeed(seed) }
  keyPairs.set(name, pair)
  return pair
}

let adminKeys: LogKeys | undefined

export class SimLog {
  readonly keys: LogKeys
  readonly genesis: Uint8Array
  readonly otherGenesis: Uint8Array
  readonly logId: Uint8Array
  readonly #servers = new Map<string, NodeKey>()

  constructor(serverCount: number, members: number) {
    this.keys = adminKeys ??= logKeysOf(sha256(utf8('simulated admin')))
    for (let i = 0; i < serverCount; i++) {
      const pair = keyPairOf(`server ${i}`)
      this.#servers.set(peerIdOf(pair.publicKey), pair)
    }
    const servers = [...this.#servers.values()].slice(0, members).map(({ publicKey }) => publicKey)
    this.genesis = this.#genesisOf(servers, 1_700_000_000_000)
    this.otherGenesis = this.#genesisOf(servers, 1_700_000_000_001)
    this.logId = logIdOf(this.genesis)
  }

  get serverIds(): string[] {
    return [...this.#servers.keys()]
  }

  serverPair(id: string): NodeKey {
    return this.#servers.get(id)!
  }

  serverKey(id: string): Uint8Array {
    return this.serverPair(id).publicKey
  }

  deviceKey(device: number): Uint8Array {
    return keyPairOf(`device ${device}`).publicKey
  }

  deviceSeed(device: number): Uint8Array {
    return keyPairOf(`device ${device}`).seed
  }

  /** Another chain of the first device, as a thief of its key has it. */
  branch(): Branch {
    const { seed, publicKey: author } = keyPairOf('device 1')
    const entries: KeptEntry[] = []
    const ids = [this.logId]
    for (let seq = 1; seq <= 2; seq++) {
      const body = utf8(`what the thief says, ${seq}`)
      const fields: EntryHeader = {
        ...{ logId: this.logId, author, seq, prev: ids[seq - 1], skip: ids[skipOf(seq)] },
        ...{ acks: [], clientMs: 0, kind: 'snapshot' },
        ...{ bodyHash: bodyHashOf(body), bodyBytes: body.length },
      }
      const header = formatHeader(fields)
      entries.push({ header, signature: signHeader(header, seed), body, receipt: undefined })
      ids.push(entryIdOf(header))
    }
    return { author, entries }
  }

  #genesisOf(servers: readonly Uint8Array[], createdMs: number): Uint8Array {
    const { adminKey, readerKey, verifierKey } = this.keys
    return formatGenesis({
      ...{ adminKey, readerKey, verifierKey, profile: 'cdc', convergenceEpoch: 0, createdMs },
      config: { epoch: 0, servers: [...servers].sort(compareBytes) },
    })
  }
}
