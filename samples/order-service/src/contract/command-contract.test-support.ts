// What placing and cancelling orders promises.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Current } from './order-service-contract.test-support.js'
import { after, anOrder } from './service-under-test.test-support.js'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const line = { productId: 'tea', quantity: 1, unitPrice: 100 }

export function commandContract(service: Current): void {
  test('placing an order answers 201 and says where the order and its event are', async () => {
    const { status, headers, body } = await service().place()
    expect(status).toBe(201)
    expect(body).toEqual({ orderId: expect.stringMatching(uuid) })
    expect(headers.location).toBe(`/v1/orders/${body.orderId}`)
    expect(headers.etag).toBe('"1"')
    expect(headers['narrative-position']).toMatch(/^shop\.order\.events\/\d+@\d+$/)
  })

  const violations: [what: string, body: unknown, paths: string[]][] = [
    ['nothing', {}, ['customerId', 'lines']],
    ['unknown fields', { ...anOrder(), coupon: 1, lines: [{ ...line, gift: true }] }, ['coupon', 'lines[0].gift']],
    ['the order id', { ...anOrder(), orderId: randomUUID() }, ['orderId']],
    ['fields named like methods', { ...anOrder(), constructor: 1, toString: 2 }, ['constructor', 'toString']],
    ['no lines', { ...anOrder(), lines: [] }, ['lines']],
    ['a blank customer', { ...anOrder(), customerId: '  ' }, ['customerId']],
    [
      'text that cannot be stored',
      { customerId: 'a\u0000b', lines: [{ ...line, productId: '\ud800' }] },
      ['customerId', 'lines[0].productId'],
    ],
    ['parts of a cent', { ...anOrder(), lines: [{ ...line, unitPrice: 9.99 }] }, ['lines[0].unitPrice']],
    ['a negative price', { ...anOrder(), lines: [{ ...line, unitPrice: -1 }] }, ['lines[0].unitPrice']],
    ['half a thing', { ...anOrder(), lines: [{ ...line, quantity: 0.5 }] }, ['lines[0].quantity']],
    ['none of a thing', { ...anOrder(), lines: [line, { ...line, quantity: 0 }] }, ['lines[1].quantity']],
    [
      'numbers as text',
      { ...anOrder(), lines: [{ ...line, quantity: '1', unitPrice: '100' }] },
      ['lines[0].quantity', 'lines[0].unitPrice'],
    ],
    ['numbers JSON cannot hold', { ...anOrder(), lines: [{ ...line, quantity: 2 ** 53 }] }, ['lines[0].quantity']],
    ['a total that is not exact', { ...anOrder(), lines: [{ ...line, quantity: 2 ** 52, unitPrice: 3 }] }, ['lines']],
    ['a line that is a list', { ...anOrder(), lines: [[line]] }, ['lines']],
    ['a line that is a number', { ...anOrder(), lines: [7] }, ['lines', 'lines[0]']],
    ['lines that are text', { ...anOrder(), lines: 'tea' }, ['lines']],
    ['an abyss', `{"lines":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, ['']],
    ['a list', [], ['']],
    ['null', null, ['']],
  ]
  test.each(violations)('a body with %s is refused with every violation', async (_what, body, paths) => {
    const answer = await service().post('/v1/orders', body)
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'COMMAND_INVALID',
      title: expect.any(String),
      type: expect.any(String),
    })
    expect([...new Set(answer.body.violations.map(({ path }: { path: string }) => path))].sort()).toEqual(
      [...paths].sort(),
    )
    for (const violation of answer.body.violations)
      expect(violation).toEqual({ path: expect.any(String), message: expect.any(String) })
  })

  test('the largest exact total is accepted', async () => {
    const placed = await service().place({
      ...anOrder(),
      lines: [{ ...line, quantity: 1, unitPrice: Number.MAX_SAFE_INTEGER }],
    })
    const order = await service().get(placed.headers.location!, after(placed))
    expect(order.body.total).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('cancelling answers 200 with the new version', async () => {
    const { body } = await service().place()
    const cancelled = await service().cancel(body.orderId)
    expect(cancelled).toMatchObject({ status: 200, headers: { etag: '"2"', 'narrative-position': expect.any(String) } })
    const { body: order } = await service().get(`/v1/orders/${body.orderId}`, after(cancelled))
    expect(order).toMatchObject({ status: 'cancelled', version: 2 })
  })

  test('cancelling without a reason is refused', async () => {
    const { body } = await service().place()
    const answer = await service().cancel(body.orderId, {}, { because: 'x' })
    expect(answer.body.violations.map(({ path }: { path: string }) => path).sort()).toEqual(['because', 'reason'])
  })

  test('what cannot be cancelled any more is a conflict, and what never existed is not found', async () => {
    const { body } = await service().place()
    await service().cancel(body.orderId)
    const again = await service().cancel(body.orderId)
    expect(again).toMatchObject({ status: 409, body: { status: 409, code: 'order.already-cancelled' } })
    for (const id of [randomUUID(), 'nobody', 'a'.repeat(90)]) {
      expect(await service().cancel(id)).toMatchObject({ status: 404, body: { code: 'order.unknown' } })
      expect(await service().cancel(id, { 'if-match': '"1"' })).toMatchObject({ status: 404 })
    }
  })

  test.each(['"1"', '*', '"7", "1"', '"1","2"', 'W/"9", "abc" , "1"'])(
    'If-Match %s matches version 1',
    async (ifMatch) => {
      const { body } = await service().place()
      expect(await service().cancel(body.orderId, { 'if-match': ifMatch })).toMatchObject({
        status: 200,
        headers: { etag: '"2"' },
      })
    },
  )

  test.each(['"2"', '"0"', 'W/"1"', '"01"', '"x"', '"7", "8"'])(
    'If-Match %s does not match version 1',
    async (ifMatch) => {
      const { body } = await service().place()
      const answer = await service().cancel(body.orderId, { 'if-match': ifMatch })
      expect(answer).toMatchObject({
        status: 412,
        headers: { etag: '"1"' },
        body: { code: 'VERSION_CONFLICT', version: 1 },
      })
      expect((await service().get(`/v1/orders/${body.orderId}/history`)).body.events).toHaveLength(1)
    },
  )

  test.each(['1', '"1', '', '"1" "2"', '*, "1"', 'w/"1"'])('If-Match %j is malformed', async (ifMatch) => {
    const { body } = await service().place()
    expect(await service().cancel(body.orderId, { 'if-match': ifMatch })).toMatchObject({
      status: 400,
      body: { code: 'http.malformed-header' },
    })
  })

  test('of many who cancel version 1 at once, one succeeds', async () => {
    const { body } = await service().place()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service().cancel(body.orderId, { 'if-match': '"1"' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)])
  })
}
