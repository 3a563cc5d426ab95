import {
  Aggregate,
  AggregateId,
  type Application,
  Command,
  CommandHandler,
  createApplication,
  Event,
  EventHandler,
  type EventStorage,
  inMemoryEventStore,
  Query,
  QueryHandler,
  silentLogger,
  systemClock,
} from '@narrative/core'
import {
  memoryReadModels,
  EventHandler as Project,
  Projection,
  projections,
  type ReaderOf,
  table,
} from '@narrative/projections'
import { IsInt, IsString } from 'class-validator'
import { inject } from 'inversify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventLogContract } from '../contracts/event-log-contract.js'
import { eventStoreContract } from '../contracts/event-store-contract.js'
import { faultyEventStore } from './faulty-event-store.js'

@Command('counter.add')
class Add {
  @AggregateId() @IsString() readonly id: string
  @IsInt() readonly by: number
  constructor(id: string, by: number) {
    this.id = id
    this.by = by
  }
}

@Event('counter.added')
class Added {
  constructor(readonly by: number) {}
}

let decided = 0

@Aggregate('counter')
class Counter {
  private total = 0
  @CommandHandler(Add) add({ by }: Add) {
    decided++
    return new Added(by)
  }
  @EventHandler(Added) added({ by }: Added) {
    this.total += by
  }
}

const totals = table('totals', { key: 'id', columns: { id: 'text', total: 'integer' } })
type Total = { id: string; total: number }

@Projection('totals', { from: [Counter], table: totals })
class Totals {
  @Project(Added) added(row: Total | undefined, { by }: Added, { key }: { key: unknown }): Total {
    return { id: String(key), total: (row?.total ?? 0) + by }
  }
}

@Query('total')
class GetTotal {
  constructor(readonly id: string) {}
}

class TotalQueries {
  constructor(@inject(totals.reader) private readonly view: ReaderOf<typeof totals>) {}
  @QueryHandler(GetTotal, { reads: Totals }) async get({ id }: GetTotal) {
    return (await this.view.findByKey(id))?.total
  }
}

describe('without a fault it is the store that was given', () => {
  for (const { name, run } of eventStoreContract) test(name, () => run(() => faultyEventStore(inMemoryEventStore())))
  for (const { name, run } of eventLogContract) test(name, () => run(() => faultyEventStore(inMemoryEventStore())))
})

describe('after every fault was set and taken back it is that again', () => {
  const healed = () => {
    const store = faultyEventStore(inMemoryEventStore())
    store.conflictOnce()
    store.loseAnswerOnce('written')
    store.loseAnswerOnce('not-written')
    store.hold('appends')
    store.hold('events')
    store.cutOff()
    store.heal()
    return store
  }
  for (const { name, run } of eventStoreContract) test(name, () => run(healed))
  for (const { name, run } of eventLogContract) test(name, () => run(healed))
})

test('whatever else a store can do, it can do with faults, too', async () => {
  class Log {
    readonly #name = 'log'
    share = undefined
    partitions = async () => []
    subscribe = async function* () {}
    reread() {
      return this.#name
    }
  }
  const parts = { router: {}, snapshots: {}, eventStore: { readReplica: () => 'replica' }, eventLog: new Log() }
  const given = { name: 'given', open: async () => Object.freeze(parts), inspect: async () => ['finding'] }
  const store = faultyEventStore(given as unknown as EventStorage)
  const opened = await store.open({ categories: [], clock: systemClock, logger: silentLogger })
  expect(store.name).toBe('given')
  expect(await store.inspect!({ categories: [], clock: systemClock, logger: silentLogger })).toEqual(['finding'])
  expect([opened.router, opened.snapshots]).toEqual([parts.router, parts.snapshots])
  expect(await opened.eventStore.readReplica!('order-1')).toBe('replica')
  expect(opened.eventLog.reread!({} as never)).toBe('log')
  expect(opened.eventLog.share).toBeUndefined()
})

describe('an application whose store fails', () => {
  let store: ReturnType<typeof faultyEventStore>
  let app: Application
  const views = () => projections([Totals], { store: memoryReadModels() })

  beforeEach(async () => {
    decided = 0
    store = faultyEventStore(inMemoryEventStore())
    app = await createApplication({
      aggregates: [Counter],
      queryHandlers: [TotalQueries],
      eventStore: store,
      parts: [views()],
      logger: silentLogger,
    })
  })
  afterEach(async () => {
    store.heal()
    await app.stop()
  })

  const add = (by: number, commandId?: string) => app.commands.execute(new Add('1', by), { commandId })
  const total = async () => ((await app.aggregates.state(Counter, '1')).state as unknown as { total: number }).total

  test('a conflict is decided again, and reaches a caller who insists on a version', async () => {
    store.conflictOnce()
    expect(await add(5)).toMatchObject({ version: 1, duplicate: false })
    expect(decided).toBe(2)
    store.conflictOnce()
    const insisting = app.commands.execute(new Add('1', 1), { expectedVersion: 1 })
    await expect(insisting).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { expectedVersion: 1, actualVersion: 2 },
    })
    expect(await total()).toBe(5)
    await add(1)
    expect(await total()).toBe(6)
  })

  test.each([
    ['written', 7, true],
    ['not-written', 0, false],
  ] as const)(
    'an answer that is lost, events %s: repeated with its command id it acts once',
    async (events, meanwhile, duplicate) => {
      store.loseAnswerOnce(events)
      await expect(add(7, 'c1')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { commandId: 'c1' } })
      expect(await total()).toBe(meanwhile)
      expect(await add(7, 'c1')).toMatchObject({ version: 1, duplicate })
      expect(await total()).toBe(7)
    },
  )

  test('an answer cannot be lost of what was not sent: a conflict stays one', async () => {
    await add(1)
    const opened = await faultyOpened()
    await opened.append(0)
    opened.store.loseAnswerOnce('written')
    expect(await opened.append(0)).toEqual({ outcome: 'conflict', actualVersion: 1 })
  })

  test('what expects no version cannot conflict: the fault waits for one that does', async () => {
    const opened = await faultyOpened()
    opened.store.conflictOnce()
    expect(await opened.append('any')).toMatchObject({ outcome: 'appended' })
    expect(await opened.append(1)).toEqual({ outcome: 'conflict', actualVersion: 2 })
    expect(await opened.append(1)).toMatchObject({ outcome: 'appended', version: 2 })
  })

  test('appends that are held are not written before they are let go', async () => {
    const held = store.hold('appends')
    const adding = add(3)
    await held.reached
    expect(await total()).toBe(0)
    held.release()
    expect(await adding).toMatchObject({ version: 1 })
    expect(await total()).toBe(3)
  })

  test('events that are held leave read models behind, while commands go on', async () => {
    const before = await add(1)
    expect(await app.queries.execute(new GetTotal('1'), { after: before.position })).toBe(1)
    const held = store.hold('events')
    const { position } = await add(1)
    await held.reached
    const impatient = app.queries.execute(new GetTotal('1'), { after: position, timeout: 1 })
    await expect(impatient).rejects.toMatchObject({ code: 'READ_MODEL_BEHIND' })
    held.release()
    expect(await app.queries.execute(new GetTotal('1'), { after: position })).toBe(2)
  })

  test('a store that is away refuses, writes nothing, and says so; healed it goes on', async () => {
    const before = await add(1)
    store.cutOff()
    const refused = { code: 'BROKER_UNREACHABLE', retryable: true }
    await expect(add(1)).rejects.toMatchObject(refused)
    await expect(total()).rejects.toMatchObject(refused)
    await expect(createApplication({ aggregates: [Counter], eventStore: store })).rejects.toMatchObject(refused)
    expect(app.health().reasons).toContain('The store was cut off by the test.')
    store.heal()
    expect(app.health().reasons).not.toContain('The store was cut off by the test.')
    const { position } = await add(1)
    expect(position!.offset).toBe(before.position!.offset + 1)
    expect(await app.queries.execute(new GetTotal('1'), { after: position })).toBe(2)
  })
})

async function faultyOpened() {
  const store = faultyEventStore(inMemoryEventStore())
  const { eventStore } = await store.open({ categories: ['counter'], clock: { now: () => 0 }, logger: silentLogger })
  let id = 0
  const append = (expectedVersion: number | 'any') => {
    const event = { id: `e${++id}`, type: 't', schemaVersion: 1, contentType: 'text/plain', data: new Uint8Array() }
    const metadata = { commandId: `c${id}`, correlationId: 'c', causationId: 'c' }
    return eventStore.append('counter-1', [event], { expectedVersion, metadata })
  }
  return { store, append }
}
