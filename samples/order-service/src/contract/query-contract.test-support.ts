// What reading orders promises.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Current } from './order-service-contract.test-support.js'
import { after, anOrder } from './service-under-test.test-support.js'

export function queryContract(service: Current): void {
  test('an order can be read right after it was placed', async () => {
    const order = anOrder()
    const placed = await service().place(order)
    const read = await service().get(placed.headers.location!, after(placed))
    expect(read).toMatchObject({ status: 200, headers: { etag: '"1"' } })
    expect(read.body).toEqual({ orderId: placed.body.orderId, ...order, status: 'placed', total: 2100, version: 1 })
    expect(
      await service().get(placed.headers.location!.toUpperCase().replace('/V1/ORDERS', '/v1/orders')),
    ).toMatchObject({ status: 200 })
  })

  test('an order that does not exist is not found', async () => {
    for (const path of ['', '?asOf=1', '/history']) {
      const answer = await service().get(`/v1/orders/${randomUUID()}${path}`)
      expect(answer).toMatchObject({ status: 404, body: { status: 404, code: 'order.unknown' } })
    }
    expect(await service().get('/v1/orders/nobody')).toMatchObject({ status: 404 })
  })

  test('a position that is not reached in time is 503, and says how far the view is', async () => {
    const placed = await service().place()
    const far = placed.headers['narrative-position']!.replace(/@\d+$/, '@900000000')
    const answer = await service().get(placed.headers.location!, { 'narrative-after': far })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'READ_MODEL_BEHIND' } })
    expect(answer.body.detail).toMatch(/offset \d+/)
  })

  test.each(['here', '', 'shop.order.events/0', 'shop.order.events/0@-1'])(
    'position %j is malformed',
    async (position) => {
      const { headers } = await service().place()
      expect(await service().get(headers.location!, { 'narrative-after': position })).toMatchObject({
        status: 400,
        body: { code: 'POSITION_INVALID' },
      })
    },
  )

  test("a customer's orders are listed, and no others, in pages", async () => {
    const { customerId, lines } = anOrder()
    const url = `/v1/orders?customerId=${encodeURIComponent(customerId)}`
    await service().place()
    const placed = []
    for (let i = 0; i < 3; i++) placed.push(await service().place({ customerId, lines }))
    for (const answer of placed) await service().get(answer.headers.location!, after(answer))

    const { status, body } = await service().get(url)
    expect(status).toBe(200)
    const ids = body.orders.map(({ orderId }: { orderId: string }) => orderId)
    expect([...ids].sort()).toEqual(placed.map((answer) => answer.body.orderId).sort())
    expect(body.orders[0]).toMatchObject({ customerId, lines, status: 'placed', total: 2100, version: 1 })
    expect(body).not.toHaveProperty('next')

    const first = await service().get(`${url}&limit=2`)
    const second = await service().get(first.body.next)
    expect([...first.body.orders, ...second.body.orders]).toEqual(body.orders)
    expect(second.body).not.toHaveProperty('next')
    expect((await service().get('/v1/orders?customerId=nobody')).body).toEqual({ orders: [] })
  })

  test.each([
    '',
    '?customerId=',
    '?customerId=a&customerId=b',
    '?customerId=a%00b',
    '?customerId=a&limit=0',
    '?customerId=a&offset=x',
  ])('a list of %j is refused', async (query) => {
    expect(await service().get(`/v1/orders${query}`)).toMatchObject({
      status: 400,
      body: { code: 'http.malformed-query' },
    })
  })

  test('the history of an order is its events', async () => {
    const order = anOrder()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const placed = await service().place(order, { 'x-correlation-id': 'story-1', traceparent })
    const cancelled = await service().cancel(
      placed.body.orderId,
      { 'x-request-id': 'request-7' },
      { reason: 'too late' },
    )
    const { status, body } = await service().get(`/v1/orders/${placed.body.orderId}/history`)
    expect(status).toBe(200)
    const { orderId } = placed.body
    expect(body.events).toMatchObject([
      {
        version: 1,
        type: 'order.placed',
        data: { orderId, ...order, total: 2100 },
        position: placed.headers['narrative-position'],
      },
      {
        version: 2,
        type: 'order.cancelled',
        data: { orderId, reason: 'too late' },
        position: cancelled.headers['narrative-position'],
      },
    ])
    for (const { id, time } of body.events) {
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(new Date(time).toISOString()).toBe(time)
    }
    expect(body.events[0].metadata).toMatchObject({ correlationId: 'story-1', traceparent })
    expect(body.events[1].metadata).toMatchObject({ correlationId: 'request-7' })
    expect(placed.headers['x-correlation-id']).toBe('story-1')
  })

  test('an order can be read as of a version or an instant', async () => {
    const order = anOrder()
    const { body } = await service().place(order)
    const url = `/v1/orders/${body.orderId}`
    const { events } = (await service().get(`${url}/history`)).body
    const placedAt = Date.parse(events[0].time)
    const then = { orderId: body.orderId, ...order, status: 'placed', total: 2100, version: 1 }
    // The next event has a later time, so that there is an instant between the two.
    await expect.poll(() => Date.now()).toBeGreaterThan(placedAt)
    await service().cancel(body.orderId)

    const asOf = (moment: string) => service().get(`${url}?asOf=${encodeURIComponent(moment)}`)
    expect(await asOf('1')).toMatchObject({ status: 200, headers: { etag: '"1"' }, body: then })
    expect((await asOf('2')).body).toEqual({ ...then, status: 'cancelled', version: 2 })
    expect((await asOf(events[0].time)).body).toEqual(then)
    expect((await asOf(new Date(placedAt + 7_200_000).toISOString().replace('Z', '+02:00'))).body).toEqual(then)
    expect(
      (await service().get(`${url}?asOf=${new Date(placedAt + 7_200_000).toISOString().replace('Z', '+02:00')}`)).body,
    ).toEqual(then)
    expect((await asOf('2999-01-01T00:00:00Z')).body).toMatchObject({ version: 2 })
    expect(await asOf('2001-01-01T00:00:00Z')).toMatchObject({ status: 404, body: { code: 'order.unknown' } })
    expect(await asOf('3')).toMatchObject({ status: 404, body: { code: 'order.version-unknown' } })
    for (const wrong of [
      '0',
      '-1',
      '1.5',
      'yesterday',
      '',
      '2026-11-21',
      '2026-13-01T00:00:00Z',
      '2026-11-21T12:00:00',
    ]) {
      expect(await asOf(wrong)).toMatchObject({ status: 400, body: { code: 'http.malformed-query' } })
    }
  })

  test('an order and a list can be followed live: what they are, and what they become', async () => {
    const order = anOrder()
    const placed = await service().place(order)
    const { orderId } = placed.body
    const one = await service().live(placed.headers.location!, after(placed))
    const list = await service().live(`/v1/orders?customerId=${encodeURIComponent(order.customerId)}`)
    expect(await one.next()).toMatchObject({ orderId, status: 'placed', version: 1 })
    expect(await list.next()).toMatchObject({ orders: [{ orderId, status: 'placed' }] })
    await service().cancel(orderId)
    expect(await one.next()).toMatchObject({ orderId, status: 'cancelled', version: 2 })
    expect(await list.next()).toMatchObject({ orders: [{ orderId, status: 'cancelled' }] })
    await one.leave()
    await list.leave()
    const live = { accept: 'text/event-stream' }
    expect(await service().get(`/v1/orders/${randomUUID()}`, live)).toMatchObject({ status: 404 })
  })
}
