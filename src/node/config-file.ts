/** The text of a new `config.toml`: every setting with its value and a comment, so that it explains itself. */
import { defaultSettings, settingNames, type Settings } from './config-schema.ts'

/** Settings that differ from their defaults. */
export type GivenSettings = { [S in keyof Settings]?: Partial<Settings[S]> }

const schemeComments = {
  k: 'Any k of n shares rebuild an object; a put needs happy servers. Unset: as servers allow.',
  happy: undefined,
  n: undefined,
}

const comments: { [S in keyof Settings]: Record<keyof Settings[S], string | undefined> } = {
  node: {
    nickname: 'What others see this node called.',
    listen: 'Where to listen for other nodes.',
    announce: 'Where others reach this node, if not there: behind a router, or by name.',
    domain: 'What fails together with this node, such as its provider.',
  },
  grid: {
    name: 'Which grid this is, for people.',
    introducers: 'Who knows the other nodes: "/ip4/192.0.2.1/tcp/7781/p2p/12D3KooW…".',
    peers: 'Storage servers to use without an introducer, in the same form.',
    allow_private: 'Whether to believe announced addresses of private networks.',
  },
  storage: {
    enabled: 'Whether this node keeps shares for others.',
    reserve: 'What to leave free on the disk: a size like "10GiB", or "auto".',
    read_only: 'Serve what is there and take no more.',
    directory: 'Where the shares are, from this directory.',
  },
  client: {
    ...schemeComments,
    convergence: '"account": equal files give equal caps, for this home only. "random": never.',
  },
  embedded: {
    disks:
      'Without a grid, shares go to these directories, best one per disk; [] is one below here.',
    ...schemeComments,
  },
}

/** The file's text with `given` in place of defaults. Values are not checked: parse the text for that. */
export function configText(given: GivenSettings = {}): string {
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
    const value = valueOf(given[section], key) ?? valueOf(defaultSettings[section], key)
    lines.push(value === undefined ? `# ${key} =` : `${key} = ${JSON.stringify(value)}`)
  }
  return `${lines.join('\n')}\n`
}

/** JSON's texts, numbers and lists are TOML's too. */
function valueOf(settings: object | undefined, key: string): unknown {
  return (settings as Record<string, unknown> | undefined)?.[key]
}
