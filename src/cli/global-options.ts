/** Options that every command has. Each can be set in the environment too: `GRID_JSON=1`, `GRID_HOME=…`. */
import { parseDurationMs } from './duration.ts'
import { choice, type Flag, flag, type Option, text, value, type Value } from './option.ts'

export const globalOptions: {
  home: Value<string>
  json: Flag
  quiet: Flag
  verbose: Flag
  noProgress: Flag
  color: Value<'auto' | 'always' | 'never'>
  timeout: Value<number>
  logFile: Value<string>
} = {
  home: text('--home <DIR>', 'the home to use (~/.grid)'),
  json: flag('--json', 'one JSON object a line, for programs'),
  quiet: flag('-q, --quiet', 'no progress and no remarks'),
  verbose: flag('-v, --verbose', 'say what happens inside'),
  noProgress: flag('--no-progress', 'no progress'),
  color: choice('--color <WHEN>', 'auto, always or never', ['auto', 'always', 'never']),
  timeout: value('--timeout <TIME>', 'give up after, e.g. 30s', 'a time like 30s', parseDurationMs),
  logFile: text('--log-file <FILE>', 'append what happens inside to a file'),
}

/** The long form of an option: `--log-file`. */
export function longFlag({ flags }: Option): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags
}

/** Whether the environment sets a flag. */
export function isOn(env: Readonly<Record<string, string | undefined>>, option: Flag): boolean {
  return ['1', 'true'].includes(env[variableOf(option)] ?? '')
}

/** The environment variable of a global option: `GRID_LOG_FILE`. */
export function variableOf(option: Option): string {
  return `GRID${longFlag(option).slice(1).replaceAll('-', '_').toUpperCase()}`
}
