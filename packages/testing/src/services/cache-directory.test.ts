import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cacheDirectory, publish, withLock } from './cache-directory.js'
import { waitUntil } from './wait-until.js'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'narrative-cache-'))
  vi.stubEnv('XDG_CACHE_HOME', home)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true })
})

test('work under one lock never overlaps, and waiting is told once', async () => {
  let inside = 0
  let most = 0
  let waits = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await waitUntil(() => waits === 2, 20_000)
    inside--
  }
  await Promise.all([1, 2, 3].map(() => withLock('a', () => waits++, work)))
  expect(most).toBe(1)
  expect(waits).toBe(2)
})

test('a lock is given back when the work fails', async () => {
  const failing = withLock(
    'a',
    () => {},
    () => Promise.reject(new Error('broken')),
  )
  await expect(failing).rejects.toThrow('broken')
  expect(
    await withLock(
      'a',
      () => expect.unreachable(),
      async () => 'free',
    ),
  ).toBe('free')
})

test('a lock left by a process that died is taken over', async () => {
  const lock = join(cacheDirectory(), 'a.lock')
  await mkdir(lock, { recursive: true })
  const longAgo = new Date(Date.now() - 60_000)
  await utimes(lock, longAgo, longAgo)
  expect(
    await withLock(
      'a',
      () => {},
      async () => 'taken',
    ),
  ).toBe('taken')
})

test('what is published first stays', async () => {
  const make = async (name: string) => {
    await mkdir(join(home, name))
    await writeFile(join(home, name, 'content'), name)
    return join(home, name)
  }
  await publish(await make('first'), join(home, 'place'))
  await publish(await make('second'), join(home, 'place'))
  expect(await readFile(join(home, 'place', 'content'), 'utf8')).toBe('first')
  await expect(stat(join(home, 'second'))).rejects.toThrow('ENOENT')
})
