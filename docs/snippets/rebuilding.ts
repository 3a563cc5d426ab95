// What the guide to rebuilding shows.
import {
  EventHandler,
  Projection,
  type Projections,
  SideEffect,
  type SqlProjectionContext,
} from '@narrative/projections'
import { Order, OrderPlaced } from './order.js'
import { OrdersView } from './orders-view.js'

export async function rebuildOrders(views: Projections, signal: AbortSignal) {
  // #region rebuild
  await views.rebuild(OrdersView, {
    signal,
    eventsPerSecond: 20_000,
    onProgress({ partitions }) {
      for (const { partition, offset, end, secondsLeft } of partitions) console.log(partition, offset, end, secondsLeft)
    },
  })
  // #endregion
}

export async function resume(views: Projections) {
  // #region resume
  await views.rebuild(OrdersView, { resume: true })
  // #endregion
}

export async function repairOne(views: Projections, orderId: string) {
  // #region row
  await views.rebuildRow(OrdersView, orderId)
  // #endregion
}

export async function thereAndBack(views: Projections) {
  // #region back
  await views.rebuild(OrdersView, { keepOld: true })
  // … and when it was a mistake:
  await views.switchBack(OrdersView)
  // #endregion
}

// #region side-effect
@Projection('welcome', {
  from: [Order],
  sql: { setup: 'CREATE TABLE IF NOT EXISTS welcomed (order_id text PRIMARY KEY)', reset: 'TRUNCATE welcomed' },
})
export class Welcome {
  @EventHandler(OrderPlaced)
  async placed(_event: OrderPlaced, { client, aggregateId }: SqlProjectionContext) {
    await client.query('INSERT INTO welcomed VALUES ($1)', [aggregateId])
    await this.tellWarehouse(aggregateId)
  }

  @SideEffect()
  private async tellWarehouse(orderId: string) {
    await fetch(`https://warehouse.example/orders/${orderId}`, { method: 'PUT' })
  }
}
// #endregion
