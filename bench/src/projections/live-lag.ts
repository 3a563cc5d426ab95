// How long after an append a reader of Postgres sees the row: appended steadily by the clock, seen by plain SQL.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createEventCodec, readAggregate } from '@narrative/core'
import { postgresReadModels } from '@narrative/projections'
import { uniqueName } from '@narrative/testing'
import pg from 'pg'
import type { Bench } from '../bench.js'
import { percentile } from '../harness.js'
import { LineAdded, Order } from '../orders/order.js'
import { addLine, orderIdOf } from '../orders/order-load.js'
import { writeOrderLog } from '../orders/order-log.js'
import { orderViewApp } from '../orders/order-view-app.js'
import { OrdersView } from '../orders/order-views.js'

const perSecond = 1_000
const orders = 2_000
/** Milliseconds that the reader waits between two looks; what it sees late counts as late. */
const lookEvery = 1
/** What the issue asks for, milliseconds. */
const limit = 100
const warmUp = 2_000

/** An event on its way: instants of `performance.now()`. */
interface Sent {
  readonly orderId: string
  /** Visible when its order has so many lines. */
  readonly lines: number
  readonly due: number
  acknowledged: number
}

export const liveLagBench: Bench = {
  name: 'projections.lag',
  measures: `from an append to the row that a reader sees, at ${perSecond} events a second`,
  async run(run) {
    const { brokers } = await run.services.kafka()
    const url = await (await run.services.postgres()).createDatabase()
    const log = await writeOrderLog(brokers, uniqueName('bench'), { events: orders, orders })
    const app = await orderViewApp(brokers, log, OrdersView, postgresReadModels({ url }))
    const reader = new pg.Client({ connectionString: url })
    await reader.connect()
    const seconds = run.quick ? 10 : 60
    run.progress(`appending ${perSecond} events a second for ${seconds} s`)
    const codec = createEventCodec(readAggregate(Order).definition.events)
    const append = async (sent: Sent) => {
      const { productId, quantity, unitPrice, note } = addLine(sent.orderId)
      const event = codec.encode(new LineAdded(sent.orderId, productId, quantity, unitPrice, note))
      const id = randomUUID()
      const metadata = { commandId: id, correlationId: id, causationId: id }
      await app.eventStore.append(`order-${sent.orderId}`, [event], { expectedVersion: 'any', metadata })
      sent.acknowledged = performance.now()
    }
    try {
      const { fromDue, fromAcknowledged } = await measure(reader, append, seconds * perSecond)
      const common = { unit: 'ms', reference: 'the limit we set ourselves' }
      run.report({ name: 'projections.lag.p50', value: percentile(fromDue, 0.5), unit: 'ms' })
      run.report({
        name: 'projections.lag.p99',
        ...{ ...common, value: percentile(fromDue, 0.99), referenceValue: limit, target: '<= 1' },
      })
      run.report({ name: 'projections.lag.max', value: percentile(fromDue, 1), unit: 'ms' })
      const name = 'projections.lag.from-acknowledged'
      run.report({ name: `${name}.p50`, value: percentile(fromAcknowledged, 0.5), unit: 'ms' })
      run.report({
        name: `${name}.p99`,
        ...{ ...common, value: percentile(fromAcknowledged, 0.99), referenceValue: limit, target: '<= 1' },
      })
    } finally {
      await reader.end()
      await app.stop()
    }
  },
}

/** Sends whatever is due, whether or not the ones before were answered, and looks for what was sent until all of it is seen. */
async function measure(reader: pg.Client, append: (sent: Sent) => Promise<void>, events: number) {
  const ids = Array.from({ length: orders }, (_, number) => orderIdOf(number))
  /** By order, those that are not seen yet, the oldest first. */
  const unseen = new Map<string, Sent[]>()
  const fromDue: number[] = []
  const fromAcknowledged: number[] = []
  const start = performance.now()
  let failed: unknown

  const sendAll = async () => {
    for (let number = 0; number < events && failed === undefined; ) {
      const now = performance.now()
      for (let due = start + (number * 1000) / perSecond; due <= now && number < events; ) {
        const orderId = ids[number % orders]!
        // Each order has a line from the history.
        const sent: Sent = { orderId, lines: Math.floor(number / orders) + 2, due, acknowledged: Number.NaN }
        const waiting = unseen.get(orderId)
        if (waiting === undefined) unseen.set(orderId, [sent])
        else waiting.push(sent)
        append(sent).catch((error: unknown) => {
          failed ??= error
        })
        number++
        due = start + (number * 1000) / perSecond
      }
      await delay(1)
    }
  }
  const look = async () => {
    const text = 'SELECT order_id, lines FROM bench_orders WHERE order_id = ANY($1::uuid[])'
    const { rows } = await reader.query({ name: 'look', text, values: [[...unseen.keys()]] })
    const now = performance.now()
    for (const { order_id: orderId, lines } of rows) {
      const waiting = unseen.get(orderId)!
      while (waiting.length > 0 && waiting[0]!.lines <= lines) {
        const { due, acknowledged } = waiting.shift()!
        if (due - start < warmUp) continue
        fromDue.push(now - due)
        // Seen before its answer was: it was no later than that.
        fromAcknowledged.push(Number.isNaN(acknowledged) ? 0 : now - acknowledged)
      }
      if (waiting.length === 0) unseen.delete(orderId)
    }
  }

  let sending = true
  const sent = sendAll().finally(() => {
    sending = false
  })
  const end = start + (events * 1000) / perSecond + 30_000
  while ((sending || unseen.size > 0) && failed === undefined) {
    if (unseen.size > 0) await look()
    if (performance.now() > end) throw new Error(`${unseen.size} orders were not up to date 30 s after the end.`)
    await delay(lookEvery)
  }
  await sent
  if (failed !== undefined) throw failed
  return { fromDue: Float64Array.from(fromDue).sort(), fromAcknowledged: Float64Array.from(fromAcknowledged).sort() }
}
