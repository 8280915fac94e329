/**
 * One running node per home. The lock is a file that names its process by number and start time,
 * so that a lock left by a crash, even one whose number was given away again, holds nobody up.
 */
import fs from 'node:fs/promises'
import { isDiskError } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import type { Home } from './home.ts'

export interface HomeLock {
  /** Lets the next process in; twice does nothing. */
  release(): Promise<void>
}

/** States of a process: a zombie, or dead. */
const ended = ['Z', 'X']

/** Tells the attempts of this process apart. */
let attempts = 0

/** Takes the lock of an initialised home. @throws E_LOCKED while another process, or this one, holds it */
export function lockHome(home: Home): Promise<HomeLock> {
  return lockFile(home.lock, (pid) => locked(home, pid))
}

/**
 * Takes the lock that is the file `at`, in a directory that is there.
 *
 * @param locked - the error to throw while the process of this number holds it
 */
export async function lockFile(at: string, locked: (pid: number) => GridError): Promise<HomeLock> {
  const mine = `${process.pid} ${await startOf(process.pid)}\n`
  const temporary = `${at}.${process.pid}.${attempts++}`
  await fs.writeFile(temporary, mine, { mode: 0o600 })
  try {
    while (!(await link(temporary, at))) {
      const holder = await readIfThere(at)
      if (holder === undefined) continue
      if (await isRunning(holder)) throw locked(Number.parseInt(holder, 10))
      await removeStale(at, holder)
    }
  } finally {
    await fs.unlink(temporary)
  }
  let held = true
  return {
    async release() {
      if (held) await fs.unlink(at)
      held = false
    },
  }
}

function locked(home: Home, pid: number): GridError {
  return new GridError('E_LOCKED', `a node is running from ${home.path} (process ${pid})`, {
    hint: 'stop it first, or choose another home with --home',
    facts: { pid },
  })
}

async function isRunning(holder: string): Promise<boolean> {
  const [pid = Number.NaN, start] = holder.split(' ').map(Number)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (isDiskError(error, 'ESRCH')) return false
  }
  return start === (await startOf(pid))
}

/**
 * When a process started, in the kernel's ticks; 0 where the system does not say. Never of one that
 * has ended and that nobody has asked about: it may stay so for good where nobody ever does.
 */
async function startOf(pid: number): Promise<number> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  // the second field is the name, in brackets, and may hold anything; the start is the 22nd
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields !== undefined && ended.includes(fields[0])) return Number.NaN
  return Number(fields?.[19] ?? 0)
}

/** Moves the file away before deleting it: if it has become another's meanwhile, it is put back. */
async function removeStale(at: string, judged: string): Promise<void> {
  const aside = `${at}.stale.${process.pid}.${attempts++}`
  try {
    await fs.rename(at, aside)
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return
    throw error
  }
  if ((await readIfThere(aside)) !== judged) await link(aside, at)
  await fs.unlink(aside)
}

/** False where `to` is there already. */
async function link(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to)
    return true
  } catch (error) {
    if (isDiskError(error, 'EEXIST')) return false
    throw error
  }
}

async function readIfThere(at: string): Promise<string | undefined> {
  try {
    return await fs.readFile(at, 'utf8')
  } catch (error) {
    if (isDiskError(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}
