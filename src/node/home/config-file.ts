/** The text of a new `config.toml`: every setting with its value and a comment, so that it explains itself. */
import { defaultOf, settingNames, type Settings } from './config-schema.ts'
import type { Override } from './config.ts'

const redundancyComments = {
  k: 'Any k of n shares rebuild an object; a put needs happy servers. Unset: as servers allow.',
  happy: undefined,
  n: undefined,
}
/** What settings without a default are shown with, commented out. */
const examples: Readonly<Record<string, number>> = { k: 3, happy: 7, n: 10 }

const comments: { [S in keyof Settings]: Record<keyof Settings[S], string | undefined> } = {
  node: {
    nickname: 'What others see this node called.',
    listen: 'Where to listen for other nodes.',
    announce: 'Where others reach this node, if not there: behind a router, or by name.',
    invite_listen:
      'With psk_files: where those can come who were invited, while an invitation is open.',
    domain: 'What fails together with this node, such as its provider.',
  },
  grid: {
    name: 'Which grid this is, for people.',
    introducers: 'Who knows the other nodes: "/ip4/192.0.2.1/tcp/7781/p2p/12D3KooW…".',
    peers: 'Storage servers to use without an introducer, in the same form.',
    allow_private: 'Whether to believe announced addresses of private networks.',
    membership: 'Who may take part: "open" anybody, "list" those below, "signed" by certificate.',
    members: 'Peer ids of the members, for "list".',
    key: 'The public key that signs certificates, for "signed".',
    psk_files: 'Secrets that keep strangers from even connecting: the one in use, then older ones.',
  },
  storage: {
    enabled: 'Whether this node keeps shares for others.',
    reserve: 'What to leave free on the disk: a size like "10GiB", or "auto".',
    read_only: 'Serve what is there and take no more.',
    directory: 'Where the shares are, from this directory.',
    lease_days: 'How many days what is put without an account is kept, unless it is renewed.',
    quarantine_days: 'How many days what nobody holds any more is kept, at least 14.',
  },
  client: {
    ...redundancyComments,
    convergence: '"account": equal files give equal caps, for this home only. "random": never.',
  },
  embedded: {
    disks:
      'Without a grid, shares go to these directories, best one per disk; [] is one below here.',
    ...redundancyComments,
  },
  cache: {
    keys: 'Whether a backup keeps the keys of what it saw last ("all"), or none and reads all anew.',
  },
}

/** The file's text with `given` in place of defaults. Values are not checked: `parseConfig` does that. */
export function configText(given: readonly Override[] = []): string {
  const values = new Map(given.map(({ path, value }) => [path, value]))
  const lines = [
    '# What this node is and does. Each setting has a default, which is the value shown',
  ]
  lines.push('# unless init was told another; GRID_* variables and flags come before this file.')
  let current = ''
  for (const [section, key] of settingNames) {
    if (section !== current) lines.push('', `[${section}]`)
    current = section
    const comment = (comments[section] as Record<string, string | undefined>)[key]
    if (comment !== undefined) lines.push(`# ${comment}`)
    const value = values.get(`${section}.${key}`) ?? defaultOf(section, key)
    // JSON's texts, numbers and lists are TOML's too
    lines.push(
      value === undefined ? `# ${key} = ${examples[key]}` : `${key} = ${JSON.stringify(value)}`,
    )
  }
  return `${lines.join('\n')}\n`
}
