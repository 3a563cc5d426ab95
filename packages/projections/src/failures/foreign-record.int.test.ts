// Records of others in an events topic, on a real broker.
import { createApplication, noValidation, silentLogger } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { type KafkaService, startKafka, uniqueName } from '@narrative/testing'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databasePerTest } from '../application/database.test-support.js'
import { Order, OrderRepriced, RecordEvents } from '../application/orders.test-support.js'
import { defineProjection, postgresReadModels, projections, table } from '../index.js'

const database = databasePerTest()
let kafka: KafkaService
beforeAll(async () => {
  kafka = await startKafka()
})
afterAll(() => kafka.stop())

const seen = table('seen', { key: 'orderId', columns: { orderId: 'text', versions: 'text' } })
const view = defineProjection({
  ...{ name: 'seen', from: [Order], table: seen, onFailure: { retries: 3, action: 'park' } },
  on: {
    'order.repriced': (row, _event, { aggregateId, version }) => ({
      orderId: aggregateId,
      versions: `${row?.versions ?? ''}${version}`,
    }),
  },
})

test('a record that another program wrote is parked at its position, while it is followed and when it is rebuilt', async () => {
  const context = uniqueName('foreign')
  const store = postgresReadModels({ url: database.url })
  const views = projections([view], { store })
  const eventStore = kafkaEventStore({ brokers: kafka.brokers, context, partitions: 2 })
  const common = { aggregates: [Order], validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, eventStore, parts: [views] })
  database.stopLater(() => app.stop())
  for (const orderId of ['a', 'b', 'c', 'd', 'a']) {
    const command = new RecordEvents({ orderId, events: [new OrderRepriced(1)] })
    await views.waitFor!((await app.commands.execute(command)).position!, { timeout: 20_000 })
  }

  const client = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer()
  database.stopLater(() => producer.disconnect())
  await producer.connect()
  const topic = `${context}.order.events`
  const value = Buffer.from([0, 255, 1])
  for (const partition of [0, 1]) await producer.send({ topic, messages: [{ partition, key: 'order-a', value }] })

  const letters = views.deadLetters(view)
  const ends = await app.eventLog.partitions('order')
  const parked = async () =>
    (await letters.list()).map(({ event }) => event.position).sort((a, b) => a.partition - b.partition)
  const expected = ends.map(({ partition, end }) => ({ topic, partition, offset: end - 1 }))
  await expect.poll(parked, { timeout: 20_000 }).toEqual(expected)
  const overview = { parked: 2, lag: { events: 0 } }
  await expect.poll(() => views.overview('seen'), { timeout: 20_000 }).toMatchObject(overview)
  const [letter] = await letters.list()
  expect(JSON.parse(String(letter!.event.data))).toMatchObject({ value: value.toString('base64') })

  await views.rebuild('seen')
  expect(await parked()).toEqual(expected)
  expect(await views.overview('seen')).toMatchObject({ ...overview, generation: 2 })
  const rows = await store.reader(seen).findWhere({})
  expect(rows).toEqual(['a', 'b', 'c', 'd'].map((orderId) => ({ orderId, versions: orderId === 'a' ? '12' : '1' })))
})
