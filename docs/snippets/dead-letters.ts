// What the guide to dead letters shows.
import { formatPosition, type Position } from '@narrative/core'
import type { Projections } from '@narrative/projections'
import { OrdersView } from './orders-view.js'

export async function look(views: Projections) {
  // #region list
  const letters = views.deadLetters(OrdersView)
  for (const { key, event, attempts, failure } of await letters.list()) {
    console.log(key, event.type, formatPosition(event.position), attempts, failure?.message ?? 'waits')
  }
  // #endregion
  return letters
}

export async function redrive(views: Projections, orderId: string) {
  const letters = views.deadLetters(OrdersView)
  // #region redrive
  await letters.ask('redrive', { key: orderId }) // one key
  await letters.ask('redrive', 'all') // or everything
  // #endregion
}

export async function skip(views: Projections, orderId: string, position: Position) {
  const letters = views.deadLetters(OrdersView)
  // #region skip
  await letters.ask('skip', { position })
  await letters.ask('redrive', { key: orderId })
  // #endregion
}
