// What the service answers to requests that reach no order.
import { expect, test } from 'vitest'
import type { Current } from './order-service-contract.test-support.js'
import { anOrder } from './service-under-test.test-support.js'

export function edgeContract(service: Current): void {
  test('it is live and ready', async () => {
    await expect
      .poll(async () => (await service().get('/health')).body)
      .toMatchObject({ live: true, ready: true, reasons: [] })
    expect(await service().get('/health')).toMatchObject({ status: 200 })
    expect(await service().get('/health/live')).toMatchObject({ status: 200, body: { live: true } })
  })

  test('it says which partitions it owns, and that it is behind in none', async () => {
    const { body } = await service().place()
    expect(body.orderId).toEqual(expect.any(String))
    const { partitions } = (await service().get('/health')).body
    expect(partitions.length).toBeGreaterThan(0)
    for (const each of partitions) {
      expect(each).toMatchObject({ topic: 'shop.order.events', state: 'serving', lag: 0, voids: 0 })
    }
    expect(partitions.reduce((sum: number, { offset }: { offset: number }) => sum + offset, 0)).toBeGreaterThan(0)
  })

  const json = 'application/json'
  const problems: [what: string, status: number, code: string, ask: () => Promise<unknown>][] = [
    ['JSON that is none', 400, 'http.malformed-json', () => service().post('/v1/orders', '{"customerId":')],
    ['no JSON at all', 400, 'http.malformed-json', () => service().post('/v1/orders', '')],
    ['a poisoned prototype', 400, 'http.malformed-json', () => service().post('/v1/orders', '{"__proto__":{}}')],
    [
      'another media type',
      415,
      'http.unsupported-media-type',
      () => service().post('/v1/orders', 'x', { 'content-type': 'text/plain' }),
    ],
    ['a huge body', 413, 'http.body-too-large', () => service().post('/v1/orders', `"${'x'.repeat(1_100_000)}"`)],
    ['an unknown route', 404, 'http.route-unknown', () => service().get('/v1/customers')],
    ['a route without that method', 404, 'http.route-unknown', () => service().post('/v1/orders/1', anOrder())],
    ['a malformed URL', 400, 'http.malformed-url', () => service().get('/v1/orders/%zz')],
    ['an endless id', 414, 'http.url-too-long', () => service().get(`/v1/orders/${'a'.repeat(200)}`)],
  ]
  test.each(problems)('%s is a problem', async (_what, status, code, ask) => {
    expect(await ask()).toMatchObject({
      status,
      headers: {
        'content-type': expect.stringMatching(/^application\/problem\+json/),
        'x-correlation-id': expect.any(String),
      },
      body: {
        type: expect.stringContaining(code),
        title: expect.any(String),
        detail: expect.any(String),
        status,
        code,
      },
    })
  })

  test('a charset is no other media type', async () => {
    expect(await service().place(anOrder(), { 'content-type': `${json}; charset=utf-8` })).toMatchObject({
      status: 201,
    })
  })

  test('every answer has a correlation id: the one that was given, when it can be', async () => {
    const own = (await service().get('/health')).headers['x-correlation-id']
    expect(own).toMatch(/^[0-9a-f-]{36}$/)
    expect((await service().get('/nowhere', { 'x-request-id': 'abc' })).headers['x-correlation-id']).toBe('abc')
    expect(
      (await service().get('/nowhere', { 'x-correlation-id': 'x'.repeat(201) })).headers['x-correlation-id'],
    ).not.toContain('xx')
  })

  test('a trace context that is none is not taken over', async () => {
    const { body } = await service().place(anOrder(), { traceparent: '00-0-0-00' })
    const { events } = (await service().get(`/v1/orders/${body.orderId}/history`)).body
    expect(events[0].metadata).not.toHaveProperty('traceparent')
  })
}
