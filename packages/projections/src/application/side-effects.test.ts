// What reaches the outside is had once: not at a start, not in a rebuild.
import { createApplication, inMemoryEventStore, noValidation, silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import {
  EventHandler,
  memoryReadModels,
  Projection,
  type ProjectionContext,
  projections,
  SideEffect,
  table,
} from '../index.js'
import { Order, OrderPlaced, RecordEvents } from './orders.test-support.js'

const mailed = table('mailed', { key: 'orderId', columns: { orderId: 'text', replayed: 'boolean' } })
const mails: string[] = []
let handled = 0

@Projection('mails', { from: [Order] })
class Mails {
  count = 0
  @EventHandler(OrderPlaced) placed(_event: OrderPlaced, { aggregateId }: ProjectionContext) {
    this.count++
    this.send(`placed ${aggregateId}`)
  }
  @SideEffect() send(mail: string) {
    mails.push(mail)
  }
  reset() {
    this.count = 0
  }
}

@Projection('mailed', { from: [Order], table: mailed })
class Mailed {
  @EventHandler(OrderPlaced) placed(_row: object | undefined, _event: OrderPlaced, context: ProjectionContext) {
    handled++
    this.send(`row ${context.aggregateId}`)
    return { orderId: context.aggregateId, replayed: context.isReplay }
  }
  @SideEffect() private send(mail: string) {
    mails.push(mail)
  }
}

test('side effects are muted while events are replayed', async () => {
  const eventStore = inMemoryEventStore()
  const start = async () => {
    const store = memoryReadModels()
    const views = projections([Mails, Mailed], { store })
    const common = { aggregates: [Order], eventStore, validator: noValidation, logger: silentLogger }
    return { views, store, app: await createApplication({ ...common, parts: [views] }) }
  }
  const first = await start()
  const place = (orderId: string) =>
    first.app.commands.execute(new RecordEvents({ orderId, events: [new OrderPlaced('', 'ada', [], 1)] }))
  const { position } = await place('a')
  await first.views.waitFor!(position!, { timeout: 20_000 })
  expect([...mails].sort()).toEqual(['placed a', 'row a'])

  await first.views.rebuild(Mails)
  await first.views.rebuild(Mailed)
  expect(handled).toBe(2)
  expect(first.store.rows(mailed).all()).toEqual([{ orderId: 'a', replayed: true }])
  expect(mails).toHaveLength(2)
  await first.app.stop()

  const second = await start()
  await second.views.ready()
  expect(second.app.container.get(Mails).count).toBe(1)
  expect(mails).toHaveLength(2)
  await second.app.stop()
})
