// What is downloaded once and kept outside the repository.
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from './wait-until.js'

const heartbeat = 1_000
const stale = 15_000

/** `$XDG_CACHE_HOME/narrative`, or `~/.cache/narrative`. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'narrative')
}

/**
 * Runs `work` while no other process runs it under the same name.
 *
 * The lock is a directory whose time is kept fresh; one left by a process that died is taken over. Should two processes
 * ever hold it, nothing breaks: what they make is moved into place in one step by {@link publish}.
 */
export async function withLock<T>(name: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheDirectory(), { recursive: true })
  const lock = join(cacheDirectory(), `${name}.lock`)
  let waiting = false
  await waitUntil(async () => {
    if (await tryMake(lock)) return true
    if (!waiting) onWait()
    waiting = true
    await removeStale(lock)
    return false
  }, Number.POSITIVE_INFINITY)
  const timer = setInterval(
    () => void utimes(lock, new Date(), new Date()).catch(() => clearInterval(timer)),
    heartbeat,
  )
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await rm(lock, { recursive: true, force: true })
  }
}

/** Moves a finished directory to its place in one step; an equal one that is there already is kept. */
export async function publish(finished: string, place: string): Promise<void> {
  try {
    await rename(finished, place)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    await rm(finished, { recursive: true, force: true })
  }
}

async function tryMake(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

async function removeStale(lock: string): Promise<void> {
  // Gone in the meantime: the next attempt will show.
  const found = await stat(lock).catch(() => undefined)
  if (found === undefined || Date.now() - found.mtimeMs < stale) return
  // Renaming first lets only one of several waiters remove it.
  const aside = `${lock}-${randomBytes(4).toString('hex')}`
  const moved = await rename(lock, aside).then(
    () => true,
    () => false,
  )
  if (moved) await rmdir(aside).catch(() => undefined)
}
