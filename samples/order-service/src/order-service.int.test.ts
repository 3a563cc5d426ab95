// The contract on real Kafka and Postgres; and what only they can promise: that it outlives the process.
import { type KafkaService, type PostgresService, startKafka, startPostgres } from '@narrative/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { orderServiceContract } from './contract/order-service-contract.test-support.js'
import { ProcessUnderTest } from './contract/process-under-test.test-support.js'
import { anOrder, ServiceUnderTest } from './contract/service-under-test.test-support.js'

let kafka: KafkaService
let postgres: PostgresService

beforeAll(async () => {
  kafka = await startKafka()
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres?.stop()
  await kafka?.stop()
})

// One after the other: the partitions have one owner.
describe('the contract', () => {
  orderServiceContract(async () =>
    ServiceUnderTest.start({ kind: 'kafka', brokers: kafka.brokers, databaseUrl: await postgres.createDatabase() }),
  )
})

describe('across processes', () => {
  const running: ProcessUnderTest[] = []
  let environment: Record<string, string>
  beforeAll(async () => {
    environment = { PORT: '0', KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: await postgres.createDatabase() }
  })
  afterEach(() => {
    for (const each of running.splice(0)) each.kill('SIGKILL')
  })

  const run = (program: string, ...args: string[]) => {
    const each = new ProcessUnderTest(program, args, environment)
    running.push(each)
    return each
  }
  const place = (url: string, order: object, key: string) =>
    fetch(`${url}/v1/orders`, {
      method: 'POST',
      body: JSON.stringify(order),
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
    })
  const read = async (url: string, placed: Response) => {
    const headers = { 'narrative-after': placed.headers.get('narrative-position')! }
    return (await fetch(url + placed.headers.get('location'), { headers })).json()
  }

  test('events, views and keys outlive the service', async () => {
    const order = anOrder()
    const first = run('main')
    const placed = await place(await first.url(), order, order.customerId)
    expect(placed.status).toBe(201)
    const before = await read(await first.url(), placed)
    first.kill('SIGTERM')
    expect(await first.ended).toBe(0)

    const second = run('main')
    expect(await read(await second.url(), placed)).toEqual(before)
    const again = await place(await second.url(), order, order.customerId)
    expect(again.status).toBe(201)
    for (const header of ['location', 'etag', 'narrative-position', 'x-correlation-id']) {
      expect(again.headers.get(header)).toBe(placed.headers.get(header))
    }
    second.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  })

  test('a view is rebuilt beside the running service, which goes on', async () => {
    const order = anOrder()
    const service = run('main')
    const url = await service.url()
    const placed = await place(url, order, order.customerId)
    const before = await read(url, placed)

    const list = run('narrative', 'projections', 'list')
    expect(await list.ended).toBe(0)
    expect(list.out).toContain('orders-view')

    const rebuild = run('narrative', 'projections', 'rebuild', 'orders-view')
    expect({ code: await rebuild.ended, err: rebuild.err }).toEqual({ code: 0, err: '' })
    expect(rebuild.out).toContain('orders-view was rebuilt from offset 0')

    expect(await read(url, placed)).toEqual(before)
    const more = await place(url, order, `${order.customerId} again`)
    expect(more.status).toBe(201)
    expect(await read(url, more)).toMatchObject({ status: 'placed', version: 1 })
    service.kill('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  test('a projection that does not exist is said plainly', async () => {
    const rebuild = run('narrative', 'projections', 'rebuild', 'nothing')
    expect(await rebuild.ended).toBe(3)
    expect(rebuild.err).toContain('orders-view')
    expect(rebuild.err).not.toMatch(/^ +at /m)
  })
})
