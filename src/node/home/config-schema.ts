/**
 * What `config.toml` may say: each setting's type, bounds and default. A message reads on from the
 * value that it refuses: `storage.reserve: "10GB!" is not a size like 10GiB`.
 */
import * as v from 'valibot'
import { fromBase32 } from '../../base/base32.ts'
import { parseByteSize } from '../../base/byte-size.ts'
import { publicKeyBytes } from '../../base/ed25519.ts'
import { parsePeerAddress, parseTcpAddress } from '../../base/multiaddr.ts'
import { publicKeyOf } from '../../base/peer-id.ts'

/** k, happy and n of an erasure code, 1 ≤ k ≤ happy ≤ n ≤ 255: all three or none. */
export interface RedundancySettings {
  k?: number | undefined
  happy?: number | undefined
  n?: number | undefined
}

/** Every setting, by the names it has in the file. */
export interface Settings {
  node: {
    nickname: string
    listen: string[]
    announce: string[]
    invite_listen: string[]
    domain: string
  }
  grid: {
    name: string
    introducers: string[]
    peers: string[]
    allow_private: boolean
    membership: 'open' | 'list' | 'signed'
    members: string[]
    key: string
    psk_files: string[]
  }
  storage: {
    enabled: boolean
    reserve: string
    read_only: boolean
    directory: string
    lease_days: number
    quarantine_days: number
  }
  client: RedundancySettings & { convergence: 'account' | 'random' }
  embedded: RedundancySettings & { disks: string[] }
  cache: { keys: 'all' | 'none' }
}

/** A setting that is wrong, and why. */
export interface SettingProblem {
  /** Such as `storage.reserve`, or `node.listen[1]` for an item of a list. */
  path: string
  message: string
}

const notText = 'is not a text in quotes'
const label = v.pipe(
  v.string(notText),
  v.regex(/^[^\p{Cc}\p{Cf}]{0,64}$/u, 'is not a name of at most 64 visible characters'),
)
const folder = v.pipe(
  v.string(notText),
  v.check((text) => text !== '' && !text.includes('\0'), 'is not the name of a directory'),
)
const yesOrNo = v.boolean('is not true or false')
const count = v.pipe(
  v.number('is not a whole number'),
  v.integer('is not a whole number'),
  v.check((value) => value >= 1 && value <= 255, 'is not a number of 1 to 255'),
)
function days(
  least: number,
): v.SchemaWithPipe<
  readonly [v.NumberSchema<string>, v.IntegerAction<number, string>, v.CheckAction<number, string>]
> {
  return v.pipe(
    v.number('is not a whole number'),
    v.integer('is not a whole number'),
    v.check(
      (value) => value >= least && value <= 3650,
      `is not a number of days, ${least} to 3650`,
    ),
  )
}

const size = v.pipe(
  v.string(notText),
  v.check(
    (text) => text === 'auto' || parseByteSize(text) !== undefined,
    'is not a size like 10GiB, nor auto',
  ),
)
const localAddress = v.pipe(
  v.string(notText),
  v.check(
    (text) => parseTcpAddress(text)?.peerId === undefined && parseTcpAddress(text) !== undefined,
    'is not an address like /ip4/0.0.0.0/tcp/7780',
  ),
)
const peerAddress = v.pipe(
  v.string(notText),
  v.check(
    (text) => parsePeerAddress(text) !== undefined,
    'is not an address like /ip4/192.0.2.1/tcp/7780/p2p/12D3KooW… (a peer id and its check)',
  ),
)

const peerId = v.pipe(
  v.string(notText),
  v.check((text) => publicKeyOf(text) !== undefined, 'is not a peer id like 12D3KooW…'),
)
const gridKey = v.pipe(
  v.string(notText),
  v.check(
    (text) => text === '' || fromBase32(text)?.length === publicKeyBytes,
    'is not the public key of a grid, 52 letters and digits',
  ),
)

function list<T extends v.GenericSchema>(item: T): v.ArraySchema<T, string> {
  return v.array(item, 'is not a list in square brackets')
}

function section<T extends v.ObjectEntries>(
  entries: T,
): v.StrictObjectSchema<T, v.ErrorMessage<v.StrictObjectIssue>> {
  const known = Object.keys(entries).join(', ')
  return v.strictObject(entries, (issue) =>
    issue.expected === 'never' ? `is no setting; there are ${known}` : 'is not a section',
  )
}

const redundancy = { k: v.optional(count), happy: v.optional(count), n: v.optional(count) }

const schema = section({
  node: v.optional(
    section({
      nickname: v.optional(label, ''),
      listen: v.optional(list(localAddress), ['/ip4/0.0.0.0/tcp/7780']),
      announce: v.optional(list(localAddress), []),
      invite_listen: v.optional(list(localAddress), ['/ip4/0.0.0.0/tcp/7782']),
      domain: v.optional(label, ''),
    }),
    {},
  ),
  grid: v.optional(
    section({
      name: v.optional(label, 'main'),
      introducers: v.optional(list(peerAddress), []),
      peers: v.optional(list(peerAddress), []),
      allow_private: v.optional(yesOrNo, false),
      membership: v.optional(
        v.picklist(['open', 'list', 'signed'], 'is neither "open" nor "list" nor "signed"'),
        'open',
      ),
      members: v.optional(list(peerId), []),
      key: v.optional(gridKey, ''),
      psk_files: v.optional(list(folder), []),
    }),
    {},
  ),
  storage: v.optional(
    section({
      enabled: v.optional(yesOrNo, true),
      reserve: v.optional(size, 'auto'),
      read_only: v.optional(yesOrNo, false),
      directory: v.optional(folder, 'storage'),
      lease_days: v.optional(days(1), 365),
      quarantine_days: v.optional(days(14), 30),
    }),
    {},
  ),
  client: v.optional(
    section({
      ...redundancy,
      convergence: v.optional(
        v.picklist(['account', 'random'], 'is neither "account" nor "random"'),
        'account',
      ),
    }),
    {},
  ),
  embedded: v.optional(section({ disks: v.optional(list(folder), []), ...redundancy }), {}),
  cache: v.optional(
    section({
      keys: v.optional(v.picklist(['all', 'none'], 'is neither "all" nor "none"'), 'all'),
    }),
    {},
  ),
})

const defaults: Settings = v.parse(schema, {})

/** A setting's value where nobody sets it; undefined for those that have none. */
export function defaultOf(section: keyof Settings, key: string): unknown {
  return (defaults[section] as Record<string, unknown>)[key]
}

/** Section and key of every setting, in the file's order. */
export const settingNames: readonly (readonly [section: keyof Settings, key: string])[] =
  Object.entries(schema.entries).flatMap(([section, { wrapped }]) =>
    Object.keys(wrapped.entries).map((key) => [section as keyof Settings, key] as const),
  )

/** The settings in `table`, defaults filled in, or all that is wrong with it, in the file's order. */
export function checkSettings(table: unknown): Settings | SettingProblem[] {
  const result = v.safeParse(schema, table)
  if (!result.success) return result.issues.map(problemOf)
  const { client, embedded, grid } = result.output
  const problems = [
    ...membershipProblems(grid),
    ...redundancyProblems('client', client),
    ...redundancyProblems('embedded', embedded),
  ]
  return problems.length === 0 ? result.output : problems
}

function problemOf(issue: v.BaseIssue<unknown>): SettingProblem {
  const keys = (issue.path ?? []).map(({ key }) => key)
  const path = keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
  const isName = issue.expected === 'never'
  const value = isName ? '' : `${clip(JSON.stringify(issue.input) ?? 'nothing')} `
  return { path: path.slice(1), message: value + issue.message }
}

function membershipProblems({ membership, key }: Settings['grid']): SettingProblem[] {
  if (membership !== 'signed' || key !== '') return []
  return [{ path: 'grid.key', message: 'is missing: a signed grid is known by its key' }]
}

function redundancyProblems(name: string, { k, happy, n }: RedundancySettings): SettingProblem[] {
  if (k === undefined && happy === undefined && n === undefined) return []
  const values = { k, happy, n }
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) continue
    return [{ path: `${name}.${key}`, message: 'is missing; give k, happy and n, or none of them' }]
  }
  if (k! > happy!) return [{ path: `${name}.happy`, message: `${happy} is below k = ${k}` }]
  if (happy! > n!) return [{ path: `${name}.n`, message: `${n} is below happy = ${happy}` }]
  return []
}

function clip(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}
