// What a follower does with the log, with brokers that go away, and with records that are none.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import { MemoryBroker } from './memory-broker.test-support.js'
import { PartitionFollower } from './partition-follower.js'
import { diskReplica } from './replica/disk-replica.js'
import { MemoryReplica } from './replica/memory-replica.js'
import { type OpenedStore, openStore, topic, until } from './store.test-support.js'

const following: PartitionFollower[] = []
const opened: OpenedStore[] = []
afterEach(async () => {
  for (const follower of following.splice(0)) await follower.release()
  for (const store of opened.splice(0)) await store.close()
})

async function start(vacated: Promise<unknown> = Promise.resolve()) {
  const broker = new MemoryBroker()
  const store = await openStore(broker)
  opened.push(store)
  const replica = new MemoryReplica(topic, 0)
  const driver = broker.driver()
  const follower = new PartitionFollower({ driver, topic, partition: 0, logger: silentLogger, replica, vacated })
  following.push(follower)
  return { broker, store, replica, follower }
}

test('a follower reads what comes, and is warm when it has read what there is', async () => {
  const { store, replica, follower } = await start()
  expect(follower.warm).toBe(false)
  await store.write('order-1', 0)
  await until(() => replica.version('order-1') === 1)
  expect(follower.warm).toBe(true)
  expect(follower.status).toMatchObject({ state: 'following', offset: 2, lag: 0, voids: 0 })
  await store.write('order-1', 1)
  await until(() => follower.copy?.version('order-1') === 2)
})

test('a follower waits for its replica, and leaves it alone once it was released', async () => {
  let leave!: () => void
  const vacated = new Promise<void>((resolve) => {
    leave = resolve
  })
  const { store, replica, follower } = await start(vacated)
  await store.write('order-1', 0)
  expect(follower.copy).toBeUndefined()
  expect(replica.point.offset).toBe(0)
  leave()
  await until(() => replica.version('order-1') === 1)
  await follower.release()
  await store.write('order-1', 1)
  expect(replica.version('order-1')).toBe(1)
})

test('while no broker answers it says so, is no reason to worry otherwise, and goes on by itself', async () => {
  const { broker, store, replica, follower } = await start()
  await until(() => follower.warm)
  broker.crash()
  await until(() => follower.status.reason !== undefined)
  expect(follower.status.reason).toMatch(/is not followed: The broker is down/)
  expect(follower.failed).toBe(false)
  broker.down = false
  await store.write('order-1')
  await until(() => replica.version('order-1') === 1)
  expect(follower.status.reason).toBeUndefined()
})

test('what it cannot understand ends it: nobody builds upon its replica', async () => {
  const { broker, follower } = await start()
  await until(() => follower.warm)
  broker.partition(topic, 0).log.push({ key: null, value: Buffer.from('?'), headers: [], time: 0 })
  for (const wake of broker.partition(topic, 0).waiting.splice(0)) wake()
  await until(() => follower.failed)
  expect(follower.warm).toBe(false)
  expect(follower.copy).toBeUndefined()
  expect(follower.status).toMatchObject({ state: 'following', reason: expect.stringMatching(/is not followed/) })
})

test('a copy that cannot be kept here: the follower gives up, and says that the disk was why', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'narrative-follower-'))
  writeFileSync(join(directory, 'file'), '')
  const driver = new MemoryBroker().driver()
  const place = { driver, topic, partition: 0, logger: silentLogger }
  const replica = diskReplica({ directory: join(directory, 'file', 'below') }).create(place)
  const follower = new PartitionFollower({ ...place, replica, vacated: Promise.resolve() })
  following.push(follower)
  expect(follower.diskFailed).toBe(false)
  await until(() => follower.failed)
  expect(follower).toMatchObject({ diskFailed: true, warm: false, copy: undefined })
  rmSync(directory, { recursive: true })
})

test('a copy that turns out to be damaged is made again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'narrative-follower-'))
  const broker = new MemoryBroker()
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
  const place = { driver: broker.driver(), topic, partition: 0, logger }
  const follow = () => {
    const replica = diskReplica({ directory }).create(place)
    const follower = new PartitionFollower({ ...place, replica, vacated: Promise.resolve() })
    following.push(follower)
    return { replica, follower }
  }
  const store = await openStore(broker)
  opened.push(store)
  for (let n = 0; n < 3; n++) await store.write('order-1', n)
  const before = follow()
  await until(() => before.follower.copy?.version('order-1') === 3)
  await before.follower.release()
  await before.replica.close!()
  const events = join(directory, `${topic}-0`, 'events')
  const bytes = readFileSync(events)
  bytes[bytes.indexOf('order-1')] = 0x21
  writeFileSync(events, bytes)
  const { replica, follower } = follow()
  await until(() => follower.warm)
  expect(() => [...follower.copy!.read('order-1', 1, 3)]).toThrow('damaged')
  await until(() => warnings.join().includes('thrown away'))
  await until(() => follower.copy?.version('order-1') === 3)
  expect([...follower.copy!.read('order-1', 1, 3)]).toHaveLength(3)
  expect(follower.failed).toBe(false)
  await follower.release()
  await replica.close!()
  rmSync(directory, { recursive: true })
})
