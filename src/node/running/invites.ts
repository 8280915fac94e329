/** The invitations of a running node: what it gives to those who join, by the mode of its grid. */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import type { Budget } from '../../base/limit.ts'
import { parseTcpAddress } from '../../base/multiaddr.ts'
import type { Net } from '../../base/net.ts'
import { publicKeyOf } from '../../base/peer-id.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import { addressScope } from '../../introducer/address-scope.ts'
import {
  type Invite,
  InviteBook,
  type InviteTerms,
  isLive,
  type Joiner,
} from '../../members/invite-book.ts'
import { InviteDesk } from '../../members/invite-desk.ts'
import { formatInviteLink, maxLinkAddresses } from '../../members/invite-link.ts'
import { type Grant, inviteProtocol } from '../../members/invite-protocol.ts'
import type { MemberBook } from '../../members/member-book.ts'
import type { Membership } from '../../members/membership.ts'
import { withSettings } from '../home/config-edit.ts'
import { type Config, parseConfig } from '../home/config.ts'
import { type Home, readConfig, replaceConfig } from '../home/home.ts'

export interface InviteParts {
  home: Home
  config: Config
  net: Net
  clock: Clock
  random: Random
  disk: Disk
  trace: Trace
  budget: Budget
  /** Whether this node is an introducer. */
  introduces: boolean
  membership: Membership
  /** Where this home holds the grid key. */
  members: MemberBook | undefined
  /** The secret of the grid's outer wall, if it has one. */
  psk?: Uint8Array
  /** A host that strangers can connect to, for a grid with an outer wall: open while somebody may come. */
  openDoor?: () => Promise<Net>
}

export interface InviteRequest extends InviteTerms {
  name: string
  lifetimeMs: number
  /** Where this node is reached, multiaddrs without /p2p; empty to find out. */
  addresses: readonly string[]
}

/** How often it is looked whether the door may be closed. */
const doorMs = 60_000

export class Invites {
  readonly desk: InviteDesk
  readonly #book: InviteBook
  readonly #parts: InviteParts
  #door: Promise<Net> | undefined
  #cancel: () => void = () => {}
  /** One after the other, so that none writes over what the one before it wrote. */
  #enlisting: Promise<void> = Promise.resolve()
  /** Invitations that are being made: the door must not close on them. */
  #making = 0

  private constructor(parts: InviteParts, book: InviteBook) {
    this.#parts = parts
    this.#book = book
    const { net, clock, budget, trace } = parts
    this.desk = new InviteDesk({
      ...{ id: net.id, book, clock, budget, trace },
      issue: (invite, joiner) => this.#issue(invite, joiner),
      grantOf: (invite) => this.#grantOf(invite),
    })
  }

  /** Reads what is kept, and serves joiners from then on. Throws E_CONFIG for a damaged file. */
  static async open(parts: InviteParts): Promise<Invites> {
    const { disk, home, clock, net } = parts
    const keptAt = { disk, path: path.join(home.private, 'invites') }
    const invites = new Invites(parts, await InviteBook.open({ keptAt, clock }))
    net.handle(inviteProtocol, (channel) => invites.desk.serve(channel))
    await invites.#tendDoor()
    return invites
  }

  list(): Invite[] {
    return this.#book.list()
  }

  get(name: string): Invite | undefined {
    return this.#book.get(name)
  }

  /** Makes an invitation: its link, which is nowhere else. Throws E_CONFIG, E_USAGE, E_EXISTS, E_FULL, E_IO. */
  async create(request: InviteRequest): Promise<string> {
    const { config, members } = this.#parts
    if (config.grid.membership === 'signed' && members === undefined) {
      throw new GridError('E_CONFIG', 'this home does not hold the key of the grid', {
        hint: 'invite from the home that was made with --membership signed',
      })
    }
    if (this.#introducers().length === 0) {
      throw new GridError('E_CONFIG', 'this node knows no introducer that others could use', {
        hint: 'set grid.introducers, or invite from the introducer',
      })
    }
    this.#making++
    try {
      return await this.#create(request)
    } finally {
      this.#making--
    }
  }

  async #create({ name, lifetimeMs, addresses: told, ...terms }: InviteRequest): Promise<string> {
    const { net, random } = this.#parts
    await this.#openDoor()
    const given = told.length > 0 ? told : await this.#reachedAt()
    const addresses = given.slice(0, maxLinkAddresses)
    if (!addresses.every(isReachable) || addresses.length === 0) {
      throw new GridError('E_USAGE', '--address: give addresses like /ip4/192.0.2.1/tcp/7780')
    }
    const ticket = await this.#book.create(name, terms, { lifetimeMs, random })
    return formatInviteLink({ inviter: { id: net.id, addresses }, ticket })
  }

  async close(): Promise<void> {
    this.#cancel()
    const door = await this.#door?.catch(() => undefined)
    await door?.close()
  }

  async #issue(
    { kindBits, quotaBytes, memberMs, name }: Invite,
    joiner: Joiner,
  ): Promise<Uint8Array> {
    const { config, members, clock } = this.#parts
    if (config.grid.membership === 'list') await this.#enlist(joiner.id)
    if (members === undefined) return new Uint8Array(0)
    const publicKey = publicKeyOf(joiner.id)
    if (publicKey === undefined) throw new GridError('E_FORBIDDEN', 'a key of another kind')
    return members.issue({
      ...{ kindBits, quotaBytes, publicKey },
      name: joiner.nickname === '' ? name : joiner.nickname,
      notAfterMs: Math.min(clock.nowMs() + memberMs, Number.MAX_SAFE_INTEGER),
    })
  }

  /** Puts a node into the list of the config, as the file has it by then: its owner may have changed it. */
  async #enlist(id: string): Promise<void> {
    const { home, membership } = this.#parts
    const enlist = async (): Promise<void> => {
      const text = await readConfig(home)
      const value = [...new Set([...parseConfig(text, [], home.path).grid.members, id])]
      const settings = [{ path: 'grid.members', value, source: 'grid invite' }]
      await replaceConfig(home, withSettings(text, settings))
      membership.list(id)
    }
    const enlisted = this.#enlisting.then(enlist)
    this.#enlisting = enlisted.catch(() => undefined)
    await enlisted
  }

  #grantOf({ kindBits, certificate }: Invite): Grant {
    const { config, membership, psk } = this.#parts
    const { name, membership: mode, key, allowPrivate } = config.grid
    return {
      gridName: name,
      introducers: this.#introducers(),
      mode,
      gridKey: mode === 'signed' ? key : undefined,
      certificate: certificate.length === 0 ? undefined : certificate,
      listed: mode === 'list' ? [...membership.listed()] : [],
      psk,
      allowPrivate,
      kindBits,
    }
  }

  /** With /p2p: this node by what it is told to others, since its config may know itself by loopback. */
  #introducers(): string[] {
    const { config, net, introduces } = this.#parts
    const others = config.grid.introducers
      .filter(({ id }) => id !== net.id)
      .flatMap(({ id, addresses }) => addresses.map((address) => `${address}/p2p/${id}`))
    const own = introduces ? reachable(this.#told()).map((each) => `${each}/p2p/${net.id}`) : []
    return [...own.slice(0, maxLinkAddresses), ...others].slice(0, 16)
  }

  #told(): string[] {
    const { config, net } = this.#parts
    return config.node.announce.length > 0 ? config.node.announce : net.addresses()
  }

  /** Where joiners come: at the door if there is one, at the same host. */
  async #reachedAt(): Promise<string[]> {
    const door = await this.#door
    if (door === undefined) return reachable(this.#told())
    const port = parseTcpAddress(door.addresses()[0] ?? '')?.port
    return reachable(this.#told()).map((each) => each.replace(/\/tcp\/\d+$/, `/tcp/${port}`))
  }

  async #openDoor(): Promise<void> {
    const { openDoor } = this.#parts
    if (openDoor === undefined) return
    this.#door ??= openDoor().then((net) => {
      net.handle(inviteProtocol, (channel) => this.desk.serve(channel))
      return net
    })
    await this.#door.catch((error: unknown) => {
      this.#door = undefined
      throw error
    })
    this.#cancel()
    this.#cancel = this.#parts.clock.after(doorMs, () => void this.#tendDoor())
  }

  /** The door stands open while an invitation does. */
  async #tendDoor(): Promise<void> {
    if (this.#parts.openDoor === undefined) return
    const nowMs = this.#parts.clock.nowMs()
    const isNeeded = this.#making > 0 || this.list().some((invite) => isLive(invite, nowMs))
    if (isNeeded) return this.#openDoor().catch(() => undefined)
    const door = await this.#door?.catch(() => undefined)
    this.#door = undefined
    await door?.close()
  }
}

/** Best first: public ones, then those of the local network, loopback only where there is nothing else. */
function reachable(addresses: readonly string[]): string[] {
  const outside = addresses.filter((each) => isReachable(each) && !isLoopback(each))
  const usable = outside.length > 0 ? outside : addresses.filter(isReachable)
  const isPublic = (each: string): boolean => addressScope(each) !== 'private'
  return [...usable.filter(isPublic), ...usable.filter((each) => !isPublic(each))]
}

function isReachable(address: string): boolean {
  const parsed = parseTcpAddress(address)
  if (parsed === undefined || parsed.peerId !== undefined || parsed.port === 0) return false
  return parsed.host !== '0.0.0.0' && parsed.host !== '::'
}

function isLoopback(address: string): boolean {
  const host = parseTcpAddress(address)?.host ?? ''
  return host.startsWith('127.') || host === '::1'
}
