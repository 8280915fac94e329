/** The door of a server: gives nonces, checks credentials, and knows who has entered (docs/specs/holds.md, "Accounts"). */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { TokenBucket } from '../../base/token-bucket.ts'
import { accountTokenBytes, type Credentials, enterNonceBytes } from '../hold-peer.ts'
import type { RequestOptions } from '../request.ts'
import { type AccountKey, checkCredentials } from './credentials.ts'
import { accountHolder, type Holder } from './held-object.ts'

/** How long a nonce is good for. */
const nonceMs = 60_000
const maxNonces = 8192
/** The one that was not used for longest is forgotten. */
const maxSessions = 65_536
/** Entering costs a signature or two: so many a second, for all together. */
const entriesPerSecond = 15
const entriesAtOnce = 900
/** How long a token is good for. */
const sessionMs = 3600 * 1000
/** A key that was revoked meanwhile is found out when it is used after so long. */
const recheckMs = 60_000

/** One client that has entered one account. */
export interface Session extends AccountKey {
  client: string
  holder: Holder
}

interface Entered {
  session: Session
  enteredMs: number
  /** When its key was last looked for among those that are revoked, and what came of it. */
  checkedMs: number
  checked: Promise<void>
}

export interface EntranceOptions {
  /** Peer id of the server. */
  id: string
  clock: Clock
  random: Random
  /** Throws E_REVOKED for a key that is known to be. */
  checkRevoked: (key: AccountKey) => Promise<void>
}

export class Entrance {
  readonly #options: EntranceOptions
  readonly #rate: TokenBucket
  /** By the hex of the nonce, the oldest first. */
  readonly #nonces = new Map<string, { client: string; untilMs: number }>()
  /** By the hex of the token, the least recently used first. */
  readonly #sessions = new Map<string, Entered>()
  /** The tokens of those, by who has which. */
  readonly #tokens = new Map<string, Uint8Array>()

  constructor(options: EntranceOptions) {
    this.#options = options
    const { clock } = options
    this.#rate = new TokenBucket({ clock, tokensPerSecond: entriesPerSecond, burst: entriesAtOnce })
  }

  challenge(options: RequestOptions): Uint8Array {
    const { clock, random } = this.#options
    const nonce = random.bytes(enterNonceBytes)
    const untilMs = clock.monotonicMs() + nonceMs
    this.#nonces.set(toHex(nonce), { client: this.#clientOf(options), untilMs })
    if (this.#nonces.size > maxNonces) this.#nonces.delete(firstOf(this.#nonces))
    return nonce
  }

  /**
   * Lets a client in by a nonce that it was given and has signed. Throws as `enter` of HoldPeer does.
   */
  async enter(
    credentials: Credentials,
    options: RequestOptions,
  ): Promise<{ token: Uint8Array; session: Session }> {
    if (!this.#rate.tryTake(1)) throw new GridError('E_RATE', 'too many want to enter')
    const client = this.#clientOf(options)
    const key = this.#check(credentials, client)
    await this.#options.checkRevoked(key)
    const session = { ...key, client, holder: accountHolder(key.logId) }
    const who = `${client} ${session.holder} ${toHex(key.key)}`
    const token = this.#tokens.get(who) ?? this.#options.random.bytes(accountTokenBytes)
    this.#tokens.set(who, token)
    const nowMs = this.#options.clock.monotonicMs()
    const checked = Promise.resolve()
    this.#remember(toHex(token), { session, enteredMs: nowMs, checkedMs: nowMs, checked })
    return { token, session }
  }

  /**
   * Who asks on which account; undefined without a token. Throws E_FORBIDDEN for one that is not known
   * or was given an hour ago, E_REVOKED if its key has been revoked since, and what the look for that throws.
   */
  async sessionOf(options: RequestOptions): Promise<Session | undefined> {
    if (options.account === undefined) return undefined
    const token = toHex(options.account)
    const entered = this.#sessions.get(token)
    if (entered?.session.client !== this.#clientOf(options) || this.#hasEnded(entered)) {
      if (entered !== undefined && this.#hasEnded(entered)) this.#forget(token)
      throw new GridError('E_FORBIDDEN', 'enter the account first')
    }
    this.#remember(token, entered)
    await this.#recheck(token, entered)
    return entered.session
  }

  #hasEnded({ enteredMs }: Entered): boolean {
    return this.#options.clock.monotonicMs() - enteredMs >= sessionMs
  }

  /** Once a minute for each session, however many ask on it. */
  async #recheck(token: string, entered: Entered): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - entered.checkedMs >= recheckMs) {
      entered.checkedMs = nowMs
      entered.checked = this.#options.checkRevoked(entered.session)
    }
    try {
      await entered.checked
    } catch (error) {
      // it was not found to be good: the next one who asks looks again
      entered.checkedMs = -Infinity
      if (isGridError(error, 'E_REVOKED')) this.#forget(token)
      throw error
    }
  }

  /** Each nonce serves once, and whoever it was given to. */
  #check(credentials: Credentials, client: string): AccountKey {
    const { nonce } = credentials
    const given = this.#nonces.get(toHex(nonce))
    this.#nonces.delete(toHex(nonce))
    if (given?.client !== client || given.untilMs <= this.#options.clock.monotonicMs()) {
      throw new GridError('E_SIGNATURE', 'not a nonce that you were given within a minute')
    }
    return checkCredentials(credentials, { server: this.#options.id, client, nonce })
  }

  /** Who asks; whoever does so within the process, and does not say, is the server itself. */
  #clientOf({ client }: RequestOptions): string {
    return client ?? this.#options.id
  }

  #remember(token: string, entered: Entered): void {
    this.#sessions.delete(token)
    this.#sessions.set(token, entered)
    if (this.#sessions.size > maxSessions) this.#forget(firstOf(this.#sessions))
  }

  #forget(token: string): void {
    const known = this.#sessions.get(token)
    if (known === undefined) return
    const { client, holder, key } = known.session
    this.#sessions.delete(token)
    this.#tokens.delete(`${client} ${holder} ${toHex(key)}`)
  }
}

function firstOf(map: ReadonlyMap<string, unknown>): string {
  return map.keys().next().value!
}
