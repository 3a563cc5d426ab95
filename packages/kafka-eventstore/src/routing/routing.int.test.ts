// Two applications on a real broker: whichever gets a command, the caller sees what the owner of the stream says.
import { randomUUID } from 'node:crypto'
import type { Application } from '@narrative/core'
import { startKafka, uniqueName } from '@narrative/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkajsDriver } from '../driver/kafkajs-driver.js'
import type { KafkaEventStoreOptions } from '../options.js'
import { until } from '../store.test-support.js'
import {
  Account,
  Deposit,
  idElsewhere,
  Moved,
  Overdrawn,
  repeated,
  shared,
  startAccounts,
  Withdraw,
} from './accounts.test-support.js'

const kafka = await startKafka()
const context = uniqueName('routing')
const running = new Set<Application>()

async function start(more: Partial<KafkaEventStoreOptions> = {}, at = context): Promise<Application> {
  const app = await startAccounts({ brokers: kafka.brokers, context: at, partitions: 4, ...more })
  running.add(app)
  return app
}

describe('through an instance that does not own the stream', () => {
  let one: Application
  let two: Application
  beforeAll(async () => {
    one = await start()
    two = await start()
    await shared(one, two)
  }, 60_000)
  afterAll(async () => {
    for (const app of running) await app.stop()
  })

  test('a command is carried out, and its result is the same as at the owner', async () => {
    const id = await idElsewhere(two)
    const result = await two.commands.execute(new Deposit(id, 70), { commandId: 'c1', expectedVersion: 0 })
    expect(result).toMatchObject({ aggregateId: id, version: 1, commandId: 'c1', duplicate: false })
    expect(result.events).toEqual([new Moved(70)])
    expect(result.events[0]).toBeInstanceOf(Moved)
    expect(result.position?.topic).toBe(`${context}.account.events`)
    expect(await one.commands.execute(new Deposit(id, 70), { commandId: 'c1' })).toEqual({ ...result, duplicate: true })
    expect(await two.commands.execute(new Deposit(id, 70), { commandId: 'c1' })).toEqual({ ...result, duplicate: true })
  })

  test('a command without events leads to the same answer', async () => {
    const id = await idElsewhere(two)
    const result = await two.commands.execute(new Deposit(id, 0))
    expect(result).toMatchObject({ version: 0, events: [], position: undefined })
  })

  test('a refusal arrives as the class it was', async () => {
    const id = await idElsewhere(two)
    const refusal = await two.commands.execute(new Withdraw(id, 5)).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Overdrawn)
    expect(refusal).toMatchObject({
      code: 'account.overdrawn',
      message: `Account ${id} is overdrawn.`,
      details: { accountId: id },
      accountId: id,
    })
  })

  test('a conflict and an expired command arrive with code and details', async () => {
    const id = await idElsewhere(two)
    await expect(two.commands.execute(new Deposit(id, 1), { expectedVersion: 3 })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      retryable: true,
      details: { expectedVersion: 3, actualVersion: 0 },
    })
    await expect(two.commands.execute(new Deposit(id, 1), { deadline: Date.now() - 1 })).rejects.toMatchObject({
      code: 'COMMAND_EXPIRED',
    })
    expect((await two.aggregates.state(Account, id)).version).toBe(0)
  })

  test('a history of several pages is read as one, by whoever asks', async () => {
    const id = await idElsewhere(two)
    for (let n = 0; n < 30; n++) {
      await Promise.all(Array.from({ length: 20 }, () => two.commands.execute(new Deposit(id, 1))))
    }
    const versions: number[] = []
    for await (const { version, event } of two.aggregates.history(Account, id)) {
      expect(event).toEqual(new Moved(1))
      versions.push(version)
    }
    expect(versions).toEqual(Array.from({ length: 600 }, (_, index) => index + 1))
    expect(await two.aggregates.state(Account, id)).toMatchObject({ version: 600, state: { balance: 600 } })
    expect(await one.aggregates.state(Account, id)).toMatchObject({ version: 600, state: { balance: 600 } })
  }, 60_000)
})

test('a command id acts once and gives the same answer, also when the owner died in between', async () => {
  const at = uniqueName('routing')
  const driver = kafkajsDriver({ brokers: kafka.brokers })
  const one = await start({}, at)
  const dying = await start({ driver: () => driver }, at)
  await shared(one, dying)
  const id = await idElsewhere(one)
  const first = await one.commands.execute(new Deposit(id, 9), { commandId: 'once' })
  await driver.close()
  // It waits out the takeover, instead of failing.
  const again = await one.commands.execute(new Deposit(id, 9), { commandId: 'once' })
  expect(again).toEqual({ ...first, duplicate: true })
  expect(await one.aggregates.state(Account, id)).toMatchObject({ version: 1, state: { balance: 9 } })
  await one.stop()
}, 60_000)

test('instances come and go under commands: none fails, each acts once', async () => {
  const at = uniqueName('routing')
  const apps = [await start({}, at), await start({}, at)]
  const ids = Array.from({ length: 12 }, () => randomUUID())
  const done = new Map<string, number>()
  let stopped = false
  const callers = ids.map(async (id) => {
    while (!stopped) {
      const commandId = randomUUID()
      const app = apps[Math.floor(Math.random() * apps.length)]!
      await repeated(
        () => app.commands.execute(new Deposit(id, 1), { commandId }),
        () => apps[0]!.commands.execute(new Deposit(id, 1), { commandId }),
      )
      done.set(id, (done.get(id) ?? 0) + 1)
    }
  })
  const total = () => [...done.values()].reduce((sum, count) => sum + count, 0)
  for (let round = 0; round < 3; round++) {
    const before = total()
    apps.push(await start({}, at))
    await until(() => total() > before + 200)
    await apps.shift()!.stop()
  }
  stopped = true
  await Promise.all(callers)
  for (const id of ids) expect((await apps[0]!.aggregates.state<Account>(Account, id)).state.balance).toBe(done.get(id))
  for (const app of apps) await app.stop()
}, 90_000)
