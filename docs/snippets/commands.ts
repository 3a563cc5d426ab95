// What the guide to commands shows: sending, options, results, middleware, metadata.
import { randomUUID } from 'node:crypto'
import {
  type Application,
  type CommandMiddleware,
  createApplication,
  fromJson,
  inMemoryEventStore,
  isDomainError,
  isNarrativeError,
  runWithMetadata,
} from '@narrative/core'
import { Order, PlaceOrder } from './order.js'

export async function send(app: Application, request: { id: string; headers: Record<string, string>; body: unknown }) {
  const orderId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'

  // #region execute
  const result = await app.commands.execute(new PlaceOrder({ orderId, total: 4200 }))
  result.version // 1: the version of the stream now
  result.events // the events, in order; empty when there was nothing to do
  result.position // where the last of them is in the log; a query takes it as `after`
  // #endregion

  // #region from-json
  await app.commands.execute(fromJson(PlaceOrder, request.body, { orderId: randomUUID() }))
  // #endregion

  // #region options
  await app.commands.execute(new PlaceOrder({ orderId, total: 4200 }), {
    commandId: request.headers['idempotency-key'], // the same id again: the same answer, and one order
    expectedVersion: 0, // refuse with VERSION_CONFLICT unless there is no order yet
    deadline: Date.now() + 2_000, // refuse with COMMAND_EXPIRED from then on
  })
  // #endregion

  // #region ambient
  await runWithMetadata({ correlationId: request.id, traceparent: request.headers.traceparent }, () =>
    app.commands.execute(fromJson(PlaceOrder, request.body, { orderId: randomUUID() })),
  )
  // #endregion

  // #region past
  const { state, version } = await app.aggregates.state(Order, orderId, { asOf: new Date('2026-11-20T12:00:00Z') })
  for await (const { event, position, time } of app.aggregates.history(Order, orderId))
    console.log(event, position, time)
  // #endregion
  return { state, version }
}

// #region middleware
const timed: CommandMiddleware = async (_command, next, { name }) => {
  const started = performance.now()
  try {
    return await next()
  } finally {
    console.log(`${name} took ${(performance.now() - started).toFixed(1)} ms`)
  }
}
// #endregion

// #region answer
export function statusOf(error: unknown): number {
  if (isDomainError(error)) return 409 // the domain said no
  if (isNarrativeError(error, 'COMMAND_INVALID')) return 400 // error.details.violations
  if (isNarrativeError(error, 'VERSION_CONFLICT')) return 412
  if (isNarrativeError(error) && error.retryable) return 503
  return 500
}
// #endregion

export const open = () =>
  createApplication({ aggregates: [Order], eventStore: inMemoryEventStore(), middleware: [timed] })
