/**
 * What a login shell, ssh or a desktop runs or trusts without being asked, by its place in a home
 * directory. A restore into a home writes none of it unless it is told to.
 */

/** `true`: that name and all below it. */
export interface Guard {
  readonly [name: string]: Guard | true
}

export const homeGuard: Guard = guardOf(
  ...['.ssh', '.gnupg', '.rhosts', '.shosts', '.netrc', '.forward', '.pam_environment'],
  ...['.profile', '.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases'],
  ...['.zshenv', '.zprofile', '.zshrc', '.zlogin', '.zlogout', '.kshrc', '.mkshrc'],
  ...['.cshrc', '.tcshrc', '.login', '.logout', '.inputrc', '.xinitrc', '.xsession', '.xprofile'],
  ...['.xsessionrc', '.gitconfig', '.vimrc', '.exrc', '.emacs', '.emacs.d', '.gdbinit', '.npmrc'],
  ...['.config/autostart', '.config/systemd', '.config/environment.d', '.config/fish'],
  ...['.config/git', '.config/nvim', '.config/plasma-workspace', '.local/bin', '.vim', 'bin'],
)

/** What stands under a name: `true` if it is guarded, else what is guarded below it. */
export function guardBelow(guard: Guard | undefined, name: Uint8Array): Guard | true | undefined {
  if (guard === undefined) return undefined
  const key = Buffer.from(name).toString('latin1').toLowerCase()
  return Object.hasOwn(guard, key) ? guard[key] : undefined
}

function guardOf(...paths: string[]): Guard {
  const top = empty()
  for (const path of paths) {
    const names = path.split('/')
    const last = names.pop()!
    let at = top
    for (const name of names) at = (at[name] ??= empty()) as Record<string, Guard | true>
    at[last] = true
  }
  return top
}

function empty(): Record<string, Guard | true> {
  return Object.create(null) as Record<string, Guard | true>
}
