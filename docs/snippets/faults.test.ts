// What the guide to testing shows of faults.
import { randomUUID } from 'node:crypto'
// #region faults
import { createApplication, inMemoryEventStore, silentLogger } from '@narrative/core'
import { faultyEventStore } from '@narrative/testing'
import { expect, test } from 'vitest'
import { Order, PlaceOrder } from './order.js'

test('an order that is sent again after a lost answer is placed once', async () => {
  const store = faultyEventStore(inMemoryEventStore())
  const app = await createApplication({ aggregates: [Order], eventStore: store, logger: silentLogger })
  const command = new PlaceOrder({ orderId: randomUUID(), total: 4200 })
  const options = { commandId: randomUUID() }

  store.loseAnswerOnce('written')
  await expect(app.commands.execute(command, options)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(await app.commands.execute(command, options)).toMatchObject({ version: 1, duplicate: true })
  await app.stop()
})
// #endregion
