// What the guide to looking after projections shows.
import { createApplication, type EventStorage } from '@narrative/core'
import { type Projections, postgresReadModels, projections } from '@narrative/projections'
import { Order } from './order.js'
import { OrdersView } from './orders-view.js'

export async function openTool(eventStore: EventStorage, url: string) {
  // #region tool
  const views = projections([OrdersView], { store: postgresReadModels({ url }), follow: false })
  const app = await createApplication({ aggregates: [Order], eventStore, parts: [views] })
  // #endregion
  return { views, app }
}

export async function look(views: Projections) {
  // #region overview
  const { lag, parked, workers, rebuild } = await views.overview(OrdersView)
  console.log(`${lag.events} events behind, ${lag.seconds} s; ${parked} parked`)
  for (const { worker, state, reason } of workers) console.log(worker, state, reason ?? '')
  if (rebuild) console.log(`rebuilding: ${rebuild.events}/${rebuild.total}, ${rebuild.secondsLeft} s left`)
  // #endregion
}
