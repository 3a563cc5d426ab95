// Records that cannot be read at all are parked at their position, or stopped at, whatever a projection writes to.
import {
  createApplication,
  type EventBatch,
  type EventLog,
  formatPosition,
  inMemoryEventStore,
  NarrativeError,
  noValidation,
  type OpenStorage,
  type RecordedEvent,
  silentLogger,
  type UnreadableRecord,
} from '@narrative/core'
import { expect, test } from 'vitest'
import { databasePerTest } from '../application/database.test-support.js'
import { Order, OrderRepriced, RecordEvents } from '../application/orders.test-support.js'
import {
  defineProjection,
  memoryReadModels,
  type ProjectionContext,
  postgresReadModels,
  projections,
  type ReadModels,
  type SqlProjectionContext,
  type TableProjection,
  table,
} from '../index.js'

const database = databasePerTest()

/** A log in which some events cannot be read, until it is repaired: of stream a it is still known whose they are. */
class Garbled {
  repaired = false
  private readonly hidden = new Map<string, RecordedEvent>()

  over(log: EventLog): EventLog {
    const garbled = this
    return {
      partitions: (category) => log.partitions(category),
      async *subscribe(options) {
        for await (const batch of log.subscribe(options))
          yield options.unreadable === 'give' ? garbled.garble(batch) : batch
      },
      reread({ position }) {
        if (!garbled.repaired) throw new NarrativeError('LOG_CORRUPT', { message: 'Garbled still.' })
        return garbled.hidden.get(formatPosition(position))!
      },
    }
  }

  private garble(batch: EventBatch): EventBatch {
    const broken = batch.events.filter(({ version }) => version === 2)
    const unreadable = broken.map((event): UnreadableRecord => {
      this.hidden.set(formatPosition(event.position), event)
      return {
        ...{ position: event.position, time: event.time, claim: 'c', error: new Error('Garbled.') },
        ...{ key: Buffer.from('k\0'), value: null, headers: [['h', Buffer.from([255])]] },
        streamId: event.streamId === 'order-a' ? event.streamId : undefined,
      }
    })
    return { ...batch, events: batch.events.filter((event) => !broken.includes(event)), unreadable }
  }
}

const seen = table('seen', { key: 'orderId', columns: { orderId: 'text', versions: 'text' } })
const policy = (action: 'park' | 'stop') => ({ name: 'seen', from: [Order], onFailure: { retries: 2, action } })

function tableKind(store: ReadModels, action: 'park' | 'stop' = 'park', key?: TableProjection<typeof seen>['key']) {
  const view = defineProjection({
    ...{ ...policy(action), table: seen, key },
    on: {
      'order.repriced': (row, _event, { aggregateId, version }) => ({
        orderId: aggregateId,
        versions: `${row?.versions ?? ''}${version}`,
      }),
    },
  })
  return { store, view, versions: async (orderId: string) => (await store.reader(seen).findByKey(orderId))?.versions }
}

function memoryKind() {
  const versions = new Map<string, string>()
  const view = defineProjection({
    ...policy('park'),
    on: {
      'order.repriced': (_event, { aggregateId, version }: ProjectionContext) => {
        versions.set(aggregateId, `${versions.get(aggregateId) ?? ''}${version}`)
      },
    },
  })
  return { store: memoryReadModels(), view, versions: async (orderId: string) => versions.get(orderId) }
}

function sqlKind() {
  const view = defineProjection({
    ...policy('park'),
    sql: { setup: 'CREATE TABLE journal (n serial, order_id text, version integer)', reset: 'TRUNCATE journal' },
    on: {
      'order.repriced': async (_event, { client, aggregateId, version }: SqlProjectionContext) => {
        await client.query('INSERT INTO journal (order_id, version) VALUES ($1, $2)', [aggregateId, version])
      },
    },
  })
  const text = `SELECT string_agg(version::text, '' ORDER BY n) AS versions FROM journal WHERE order_id = $1`
  const versions = async (orderId: string) => (await database.pool.query(text, [orderId])).rows[0].versions
  return { store: postgresReadModels({ url: database.url }), view, versions }
}

async function run({ store, view }: Pick<ReturnType<typeof tableKind>, 'store' | 'view'>) {
  const garbled = new Garbled()
  const views = projections([view], { store })
  const memory = inMemoryEventStore()
  const eventStore = {
    name: 'garbled',
    async open(options: Parameters<typeof memory.open>[0]): Promise<OpenStorage> {
      const storage = await memory.open(options)
      return { ...storage, eventLog: garbled.over(storage.eventLog) }
    },
  }
  const common = { aggregates: [Order], validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, eventStore, parts: [views] })
  database.stopLater(() => app.stop())
  const reprice = async (orderId: string) => {
    const command = new RecordEvents({ orderId, events: [new OrderRepriced(1)] })
    return (await app.commands.execute(command)).position!
  }
  const applied = async (position: Awaited<ReturnType<typeof reprice>>) => views.waitFor!(position, { timeout: 20_000 })
  return { garbled, views, reprice, applied, letters: views.deadLetters(view) }
}

test.each([
  ['a table in memory', () => tableKind(memoryReadModels())],
  [
    'a table by keys of its own',
    () => tableKind(memoryReadModels(), 'park', (_event, { aggregateId }) => [aggregateId]),
  ],
  ['a table in Postgres', () => tableKind(postgresReadModels({ url: database.url }))],
  ['state of its own in memory', memoryKind],
  ['SQL of its own', sqlKind],
])('they are parked by position with the record as it is, and read again when redriven: %s', async (_kind, create) => {
  const subject = create()
  const { garbled, reprice, applied, letters } = await run(subject)
  const positions = []
  for (const orderId of ['a', 'b', 'a', 'b', 'a', 'b']) positions.push(await reprice(orderId))
  const [, , brokenA, brokenB, behindA, last] = positions
  await applied(last!)
  for (const position of [brokenA!, brokenB!, behindA!])
    await expect(applied(position)).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  expect(await subject.versions('a')).toBe('1')
  expect(await subject.versions('b')).toBe('13')
  const [letter] = await letters.list({ position: brokenB! })
  const failure = { code: 'LOG_CORRUPT', message: 'Garbled' }
  expect(letter).toMatchObject({ key: formatPosition(brokenB!), attempts: 1, failure })
  expect(JSON.parse(Buffer.from(letter!.event.data).toString())).toEqual({
    ...{ reason: 'Garbled.', key: Buffer.from('k\0').toString('base64'), value: null, claim: 'c' },
    headers: [['h', Buffer.from([255]).toString('base64')]],
  })
  expect(await letters.list({ position: brokenA! })).toMatchObject([{ key: 'order-a', attempts: 1, failure }])
  expect(await letters.list({ position: behindA! })).toMatchObject([{ attempts: 0 }])

  await letters.ask('redrive', 'all')
  expect(await letters.list({ position: brokenB! })).toMatchObject([{ attempts: 2, failure }])
  expect(await letters.count()).toBe(3)
  garbled.repaired = true
  await letters.ask('redrive', 'all')
  expect(await letters.count()).toBe(0)
  expect(await subject.versions('a')).toBe('123')
  expect(await subject.versions('b')).toBe('132')
})

test('a projection that stops at failures stops there, and goes on when it is skipped', async () => {
  const subject = tableKind(memoryReadModels(), 'stop')
  const { views, reprice, applied, letters } = await run(subject)
  const first = await reprice('b')
  const broken = await reprice('b')
  await applied(first)
  const message = expect.stringContaining(`seen stopped at the unreadable record at ${formatPosition(broken)}`)
  await expect(applied(broken)).rejects.toMatchObject({ code: 'PROJECTION_STOPPED', message })
  expect(views.status()).toMatchObject([{ state: 'stopped' }])
  await letters.ask('skip', { position: broken })
  await applied(await reprice('b'))
  expect(await subject.versions('b')).toBe('13')
})
