import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { toBase32 } from '../../../src/base/base32.ts'
import { publicKeyOf } from '../../../src/base/peer-id.ts'
import { GridError } from '../../../src/base/errors.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { configText } from '../../../src/node/home/config-file.ts'
import { settingNames } from '../../../src/node/home/config-schema.ts'
import { type Config, environmentOverrides, parseConfig } from '../../../src/node/home/config.ts'

const id = peerIdOf(new Uint8Array(32).fill(1))

function load(text: string, env: Record<string, string> = {}): Config {
  return parseConfig(text, environmentOverrides(env), '/grid')
}

function problemsOf(text: string, env: Record<string, string> = {}): unknown {
  try {
    load(text, env)
  } catch (error) {
    assert.ok(error instanceof GridError && error.code === 'E_CONFIG')
    assert.doesNotMatch(error.message, /\n/)
    const problems = (error.facts.problems ?? [error.message]) as string[]
    assert.equal(problems[0], error.message)
    return problems
  }
  return []
}

const noText = 'is not a text in quotes'
const noName = 'is not a name of at most 64 visible characters'
const noList = 'is not a list in square brackets'
const noFlag = 'is not true or false'
const noAddress = 'is not an address like /ip4/0.0.0.0/tcp/7780'
const noPeer =
  'is not an address like /ip4/192.0.2.1/tcp/7780/p2p/12D3KooW… (a peer id and its check)'
const noSize = 'is not a size like 10GiB, nor auto'
const noFolder = 'is not the name of a directory'

/** A setting, a wrong value in TOML, and what is said of it behind the value. */
const wrong: [setting: string, value: string, complaint: string][] = [
  ['node.nickname', '3', noText],
  ['node.nickname', `"${'x'.repeat(65)}"`, noName],
  ['node.nickname', '"\\u001b[2J"', noName],
  ['node.listen', '"/ip4/0.0.0.0/tcp/1"', noList],
  ['node.announce', 'true', noList],
  ['node.invite_listen', '7782', noList],
  ['node.domain', '[]', noText],
  ['grid.name', '1.5', noText],
  ['grid.introducers', '{}', noList],
  ['grid.peers', '0', noList],
  ['grid.membership', '"closed"', 'is neither "open" nor "list" nor "signed"'],
  ['grid.members', '"12D3KooW"', 'is not a list in square brackets'],
  ['grid.key', '"abc"', 'is not the public key of a grid, 52 letters and digits'],
  ['grid.psk_files', '""', 'is not a list in square brackets'],
  ['grid.allow_private', '"yes"', noFlag],
  ['storage.enabled', '1', noFlag],
  ['storage.reserve', '"10GB!"', noSize],
  ['storage.reserve', '10', noText],
  ['storage.read_only', '"false"', noFlag],
  ['storage.lease_days', '0', 'is not a number of days, 1 to 3650'],
  ['storage.lease_days', '1.5', 'is not a whole number'],
  ['storage.quarantine_days', '13', 'is not a number of days, 14 to 3650'],
  ['storage.quarantine_days', '"30"', 'is not a whole number'],
  ['storage.directory', '""', noFolder],
  ['storage.directory', '7', noText],
  ['client.convergence', '"none"', 'is neither "account" nor "random"'],
  ['cache.keys', '"some"', 'is neither "all" nor "none"'],
  ['embedded.disks', '"/mnt/a"', noList],
  ...['client.k', 'client.happy', 'client.n', 'embedded.k', 'embedded.happy', 'embedded.n'].flatMap(
    (setting): [string, string, string][] => [
      [setting, '"3"', 'is not a whole number'],
      [setting, '1.5', 'is not a whole number'],
      [setting, '0', 'is not a number of 1 to 255'],
      [setting, '256', 'is not a number of 1 to 255'],
    ],
  ),
]

describe('config', () => {
  it('has a default for everything', () => {
    assert.deepEqual(load(''), {
      node: {
        nickname: '',
        listen: ['/ip4/0.0.0.0/tcp/7780'],
        announce: [],
        inviteListen: ['/ip4/0.0.0.0/tcp/7782'],
        domain: '',
      },
      grid: {
        name: 'main',
        introducers: [],
        peers: [],
        allowPrivate: false,
        membership: 'open',
        members: [],
        key: undefined,
        pskFiles: [],
      },
      storage: {
        enabled: true,
        reserveBytes: undefined,
        readOnly: false,
        directory: '/grid/storage',
        leaseDays: 365,
        quarantineDays: 30,
      },
      client: { redundancy: undefined, convergence: 'account' },
      embedded: { disks: [], redundancy: undefined },
      cache: { keys: 'all' },
    })
  })

  it('reads every setting', () => {
    const target = `/dns4/a.example/tcp/7780/p2p/${id}`
    const config = load(`
      [node]
      nickname = "attic"
      listen = []
      announce = ["/dns4/b.example/tcp/1"]
      invite_listen = ["/ip4/0.0.0.0/tcp/2"]
      domain = "home"
      [grid]
      name = "family"
      introducers = ["${target}", "/ip6/::1/tcp/1/p2p/${id}"]
      peers = ["${target}"]
      allow_private = true
      membership = "signed"
      members = ["${id}"]
      key = "${toBase32(publicKeyOf(id)!)}"
      psk_files = ["private/psk"]
      [storage]
      enabled = false
      reserve = "2 GiB"
      read_only = true
      directory = "/mnt/shares"
      lease_days = 100
      quarantine_days = 60
      [client]
      k = 3
      happy = 7
      n = 10
      convergence = "random"
      [embedded]
      disks = ["a", "/b"]
      k = 1
      happy = 1
      n = 1
      [cache]
      keys = "none"`)
    const addresses = ['/dns4/a.example/tcp/7780']
    assert.deepEqual(config, {
      node: {
        nickname: 'attic',
        listen: [],
        announce: ['/dns4/b.example/tcp/1'],
        inviteListen: ['/ip4/0.0.0.0/tcp/2'],
        domain: 'home',
      },
      grid: {
        name: 'family',
        introducers: [{ id, addresses: [...addresses, '/ip6/::1/tcp/1'] }],
        peers: [{ id, addresses }],
        allowPrivate: true,
        membership: 'signed',
        members: [id],
        key: publicKeyOf(id),
        pskFiles: ['/grid/private/psk'],
      },
      storage: {
        enabled: false,
        reserveBytes: 2 ** 31,
        readOnly: true,
        directory: '/mnt/shares',
        leaseDays: 100,
        quarantineDays: 60,
      },
      client: { redundancy: { k: 3, happy: 7, n: 10 }, convergence: 'random' },
      embedded: { disks: ['/grid/a', '/b'], redundancy: { k: 1, happy: 1, n: 1 } },
      cache: { keys: 'none' },
    })
  })

  it('says of each wrong value where it is and what it should be', () => {
    for (const [setting, value, complaint] of wrong) {
      const [section, key] = setting.split('.')
      const [line, ...more] = problemsOf(`[${section}]\n${key} = ${value}`) as string[]
      assert.ok(line?.startsWith(`config.toml: ${setting}: `), `${setting} = ${value}: ${line}`)
      assert.ok(line.endsWith(` ${complaint}`), line)
      assert.deepEqual(more, [])
    }
  })

  it('tries a wrong value on every setting', () => {
    const tried = new Set(wrong.map(([setting]) => setting))
    for (const [section, key] of settingNames) assert.ok(tried.has(`${section}.${key}`), key)
  })

  it('shows the value, clipped', () => {
    assert.deepEqual(problemsOf('[storage]\nreserve = "10GB!"'), [
      `config.toml: storage.reserve: "10GB!" ${noSize}`,
    ])
    const [line] = problemsOf(`[grid]\nallow_private = "${'x'.repeat(500)}"`) as string[]
    assert.ok(line.length < 140, line)
  })

  it('names the item of a list', () => {
    const text = `[node]\nlisten = ["/ip4/0.0.0.0/tcp/1", "0.0.0.0:1", 5]
      announce = ["/ip4/1.2.3.4/tcp/1/p2p/${id}"]
      [grid]\nintroducers = ["/ip4/1.2.3.4/tcp/1"]\npeers = [""]`
    assert.deepEqual(problemsOf(text), [
      `config.toml: node.listen[1]: "0.0.0.0:1" ${noAddress}`,
      `config.toml: node.listen[2]: 5 ${noText}`,
      `config.toml: node.announce[0]: "/ip4/1.2.3.4/tcp/1/p2p/${id.slice(0, 33)}… ${noAddress}`,
      `config.toml: grid.introducers[0]: "/ip4/1.2.3.4/tcp/1" ${noPeer}`,
      `config.toml: grid.peers[0]: "" ${noPeer}`,
    ])
  })

  it('wants the key of a grid with certificates', () => {
    assert.deepEqual(problemsOf('[grid]\nmembership = "signed"'), [
      'config.toml: grid.key: is missing: a signed grid is known by its key',
    ])
  })

  it('knows no other section and no other key', () => {
    const sections = 'node, grid, storage, client, embedded, cache'
    const keys = 'enabled, reserve, read_only, directory, lease_days, quarantine_days'
    assert.deepEqual(problemsOf('color = 1\n[storage]\nsize = 1'), [
      `config.toml: storage.size: is no setting; there are ${keys}`,
      `config.toml: color: is no setting; there are ${sections}`,
    ])
    assert.deepEqual(problemsOf('[web]'), [
      `config.toml: web: is no setting; there are ${sections}`,
    ])
    assert.deepEqual(problemsOf('node = 3'), ['config.toml: node: 3 is not a section'])
    assert.deepEqual(problemsOf('"__proto__" = 3'), [
      `config.toml: __proto__: is no setting; there are ${sections}`,
    ])
  })

  it('wants k ≤ happy ≤ n, all three or none', () => {
    for (const section of ['client', 'embedded']) {
      const at = `config.toml: ${section}`
      const said = (text: string): unknown => problemsOf(`[${section}]\n${text}`)
      assert.deepEqual(said('k = 4\nhappy = 3\nn = 10'), [`${at}.happy: 3 is below k = 4`])
      assert.deepEqual(said('k = 3\nhappy = 7\nn = 6'), [`${at}.n: 6 is below happy = 7`])
      assert.deepEqual(said('k = 3\nn = 6'), [
        `${at}.happy: is missing; give k, happy and n, or none of them`,
      ])
      assert.deepEqual(said('k = 255\nhappy = 255\nn = 255'), [])
    }
  })

  it('says where the TOML is wrong', () => {
    const [line] = problemsOf('[node]\nnickname = attic') as string[]
    assert.match(line, /^config\.toml: line 2, column 12: /)
    assert.match((problemsOf(`#${'x'.repeat(70_000)}`) as string[])[0], /longer than 65536/)
  })

  it('lets the environment override the file, and flags the environment', () => {
    const text = '[storage]\nreserve = "1GiB"\nenabled = true\n[client]\nk = 1\nhappy = 1\nn = 1'
    const env = {
      GRID_STORAGE_RESERVE: '2GiB',
      GRID_STORAGE_ENABLED: 'false',
      GRID_CLIENT_N: '2',
      GRID_PEERS: '',
      GRID_NODE_ANNOUNCE: '/ip4/1.2.3.4/tcp/1,/ip4/1.2.3.4/tcp/2',
      GRID_UNKNOWN: 'ignored',
    }
    const flags = [{ path: 'storage.reserve', value: '3GiB', source: '--reserve' }]
    const config = parseConfig(text, [...environmentOverrides(env), ...flags], '/grid')
    assert.equal(config.storage.reserveBytes, 3 * 2 ** 30)
    assert.equal(config.storage.enabled, false)
    assert.deepEqual(config.client.redundancy, { k: 1, happy: 1, n: 2 })
    assert.deepEqual(config.node.announce, ['/ip4/1.2.3.4/tcp/1', '/ip4/1.2.3.4/tcp/2'])
  })

  it('names the variable that is wrong', () => {
    assert.deepEqual(problemsOf('', { GRID_STORAGE_ENABLED: 'maybe' }), [
      `GRID_STORAGE_ENABLED: "maybe" ${noFlag}`,
    ])
    assert.deepEqual(problemsOf('', { GRID_INTRODUCERS: 'x' }), [`GRID_INTRODUCERS: "x" ${noPeer}`])
    assert.deepEqual(problemsOf('', { GRID_CLIENT_K: 'three' }), [
      'GRID_CLIENT_K: "three" is not a whole number',
    ])
  })

  it('writes a new file that says the defaults and names every setting', () => {
    const text = configText()
    assert.deepEqual(load(text), load(''))
    for (const [, key] of settingNames) assert.match(text, new RegExp(`^(# )?${key} =`, 'm'))
    for (const line of text.split('\n')) assert.ok(line.length <= 100, line)
  })

  it('writes what it is given', () => {
    const given = [
      { path: 'node.nickname', value: 'a "b" \\ ü', source: '--nickname' },
      { path: 'client.k', value: 2, source: '-k' },
      { path: 'client.happy', value: 3, source: '--happy' },
      { path: 'client.n', value: 4, source: '-n' },
    ]
    const config = load(configText(given))
    assert.equal(config.node.nickname, 'a "b" \\ ü')
    assert.deepEqual(config.client.redundancy, { k: 2, happy: 3, n: 4 })
    assert.deepEqual(config.node.listen, load('').node.listen)
  })
})
