// What the guide to testing shows of time.
import { randomUUID } from 'node:crypto'
// #region time
import { createApplication, silentLogger } from '@narrative/core'
import { at } from '@narrative/testing'
import { expect, test } from 'vitest'
import { Order, PlaceOrder } from './order.js'

test('an order is placed when the clock says so, and not after its deadline', async () => {
  const clock = at('2026-12-24T18:00:00Z')
  const app = await createApplication({ aggregates: [Order], clock, logger: silentLogger })
  const orderId = randomUUID()
  const deadline = new Date('2026-12-24T18:01:00Z')

  await app.commands.execute(new PlaceOrder({ orderId, total: 4200 }), { deadline })
  for await (const { time } of app.aggregates.history(Order, orderId)) expect(time).toBe(clock.now())

  clock.advance(60_000)
  const late = app.commands.execute(new PlaceOrder({ orderId: randomUUID(), total: 1 }), { deadline })
  await expect(late).rejects.toMatchObject({ code: 'COMMAND_EXPIRED' })
  await app.stop()
})
// #endregion
