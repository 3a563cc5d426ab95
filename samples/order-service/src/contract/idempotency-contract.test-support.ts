// What Idempotency-Key promises.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Current } from './order-service-contract.test-support.js'
import { after, anOrder, lasting } from './service-under-test.test-support.js'

export function idempotencyContract(service: Current): void {
  const withKey = (key: string = randomUUID()) => ({ 'idempotency-key': key })
  const ordersOf = async (customerId: string) =>
    (await service().get(`/v1/orders?customerId=${encodeURIComponent(customerId)}`)).body.orders

  test('the same key gives one order and the same answer', async () => {
    const order = anOrder()
    const headers = withKey()
    const first = await service().place(order, headers)
    expect(first.status).toBe(201)
    // The same content, written otherwise.
    const rewritten = {
      lines: order.lines.map(({ productId, ...rest }) => ({ ...rest, productId })),
      customerId: order.customerId,
    }
    expect(lasting(await service().place(rewritten, headers))).toEqual(lasting(first))
    const cancelled = await service().cancel(first.body.orderId)
    expect(lasting(await service().place(order, headers))).toEqual(lasting(first))
    await service().get(first.headers.location!, after(cancelled))
    expect(await ordersOf(order.customerId)).toHaveLength(1)
  })

  test('the same key at the same time gives one order and the same answer', async () => {
    const order = anOrder()
    const headers = withKey()
    const answers = await Promise.all(Array.from({ length: 20 }, () => service().place(order, headers)))
    expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer))))).toHaveLength(1)
    expect(answers[0]!.status).toBe(201)
    await service().get(answers[0]!.headers.location!, after(answers[0]!))
    expect(await ordersOf(order.customerId)).toHaveLength(1)
  })

  test('the same key with other content is refused, whoever comes first', async () => {
    const headers = withKey()
    const answers = await Promise.all([anOrder(), anOrder(), anOrder()].map((order) => service().place(order, headers)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422])
    const refused = answers.find(({ status }) => status === 422)
    expect(refused?.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(refused?.body).toMatchObject({ status: 422, code: 'http.idempotency-key-reused' })
  })

  test('a refused body does not use up its key', async () => {
    const headers = withKey()
    expect(await service().place({}, headers)).toMatchObject({ status: 400 })
    expect(await service().place(anOrder(), headers)).toMatchObject({ status: 201 })
  })

  test('other keys, and no keys, give other orders', async () => {
    const order = anOrder()
    const answers = [
      await service().place(order, withKey()),
      await service().place(order, withKey()),
      await service().place(order),
      await service().place(order),
    ]
    expect(new Set(answers.map(({ body }) => body.orderId))).toHaveLength(4)
  })

  test.each(['', 'é', 'x'.repeat(256)])('the key %j is malformed', async (key) => {
    expect(await service().place(anOrder(), withKey(key))).toMatchObject({
      status: 400,
      body: { code: 'http.malformed-header' },
    })
  })

  test('cancelling can be repeated too, with the version it was asked for at', async () => {
    const key = randomUUID()
    const { body } = await service().place(anOrder(), withKey(key))
    const headers = { ...withKey(key), 'if-match': '"1"' }
    const first = await service().cancel(body.orderId, headers)
    expect(first.status).toBe(200)
    expect(lasting(await service().cancel(body.orderId, headers))).toEqual(lasting(first))
    expect(await service().cancel(body.orderId, headers, { reason: 'another' })).toMatchObject({ status: 422 })
  })
}
