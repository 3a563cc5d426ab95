// A rebuild beside Emmett's, on the same events, while others append: how fast each is, and whether it misses any of theirs.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createEventCodec, type Position, readAggregate } from '@narrative/core'
import { postgresReadModels } from '@narrative/projections'
import { uniqueName } from '@narrative/testing'
import pg from 'pg'
import type { Bench } from '../bench.js'
import { inTurns, median } from '../harness.js'
import { LineAdded, Order } from '../orders/order.js'
import { addLine } from '../orders/order-load.js'
import { writeOrderLog } from '../orders/order-log.js'
import { orderViewApp } from '../orders/order-view-app.js'
import { OrdersView } from '../orders/order-views.js'
import { EmmettView } from '../peers/emmett-view.js'

/** Appends at a time, and how long after them the next ones: 400 a second, well below what Emmett's store takes. */
const burst = { appends: 8, every: 20 }
const connections = 20

/** What a turn came to. */
interface Rebuilt {
  readonly perSecond: number
  /** Events that were appended meanwhile, and of them those the view never got, and those it got more than once. */
  readonly appended: number
  readonly skipped: number
  readonly doubled: number
}

export const besideEmmettBench: Bench = {
  name: 'projections.emmett',
  measures: 'a rebuild beside the one of Emmett’s SQL projection, while events are appended',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const postgres = await run.services.postgres()
    const size = { events: run.quick ? 200_000 : 500_000, orders: 2_000 }
    // Rates are compared; of all of them it would take minutes a turn.
    const theirSize = run.quick ? 5_000 : 20_000
    run.progress(`writing ${size.events} events of ${size.orders} orders, ${theirSize} of them to Emmett too`)
    const log = await writeOrderLog(brokers, uniqueName('bench'), size)
    const emmett = await EmmettView.open(await postgres.createDatabase(), connections)
    await emmett.load(log.byPartition.flatMap((events) => events.slice(0, theirSize / log.byPartition.length)))
    const url = await postgres.createDatabase()
    const ours = await orderViewApp(brokers, log, OrdersView, postgresReadModels({ url }))
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const codec = createEventCodec(readAggregate(Order).definition.events)

    const rebuildOurs = async (): Promise<Rebuilt> => {
      const last = new Map<number, Position>()
      const appends = appendMeanwhile(async (event) => {
        const id = randomUUID()
        const metadata = { commandId: id, correlationId: id, causationId: id }
        const options = { expectedVersion: 0, metadata }
        const result = await ours.eventStore.append(`order-${event.orderId}`, [codec.encode(event)], options)
        if (result.outcome !== 'appended') throw new Error(`Order ${event.orderId} was there before.`)
        const { position } = result
        if (position.offset > (last.get(position.partition)?.offset ?? -1)) last.set(position.partition, position)
      })
      const start = performance.now()
      const { events } = await ours.views.rebuild(OrdersView)
      const perSecond = events / ((performance.now() - start) / 1000)
      const orderIds = await appends.stop()
      for (const position of last.values())
        await ours.views.waitFor!(position, { readModel: OrdersView, timeout: 60_000 })
      const text = 'SELECT order_id, lines FROM bench_orders WHERE order_id = ANY($1::uuid[])'
      const { rows } = await pool.query(text, [orderIds])
      return { perSecond, ...compare(orderIds, new Map(rows.map((row) => [row.order_id, row.lines]))) }
    }
    const rebuildTheirs = async (): Promise<Rebuilt> => {
      const appends = appendMeanwhile((event) => emmett.append(event))
      const start = performance.now()
      const events = await emmett.rebuild()
      const perSecond = events / ((performance.now() - start) / 1000)
      const orderIds = await appends.stop()
      await emmett.catchUp()
      return { perSecond, ...compare(orderIds, await emmett.linesOf(orderIds)) }
    }

    try {
      run.progress('rebuilding here and there while 400 events a second are appended')
      const turns = await inTurns(run.rounds, rebuildOurs, rebuildTheirs)
      const [our, their] = [sum(turns.ours), sum(turns.theirs)]
      if (our.skipped + our.doubled > 0)
        throw new Error(`The view missed ${our.skipped} events and doubled ${our.doubled}.`)
      run.report({
        name: 'projections.emmett.rebuild',
        value: median(turns.ours.map(({ perSecond }) => perSecond)),
        unit: 'events/s',
        reference: `Emmett’s rebuild of ${theirSize} of these events by its SQL projection, 1,000 messages a read and no pause`,
        referenceValue: median(turns.theirs.map(({ perSecond }) => perSecond)),
        target: '>= 20',
      })
      run.report({
        name: 'projections.emmett.skipped',
        value: our.skipped,
        unit: 'events',
        reference: `Emmett, of ${their.appended} that were appended meanwhile; here, of ${our.appended}`,
        referenceValue: their.skipped,
      })
    } finally {
      await pool.end()
      await ours.stop()
      await emmett.close()
    }
  },
}

/** Appends events of new orders, by the clock, until told to stop. */
function appendMeanwhile(append: (event: LineAdded) => Promise<void>) {
  const orderIds: string[] = []
  const stopping = new AbortController()
  const appending = (async () => {
    const underWay: Promise<void>[] = []
    for (let due = performance.now(); !stopping.signal.aborted; due += burst.every) {
      await delay(Math.max(0, due - performance.now()))
      for (let n = 0; n < burst.appends; n++) {
        const orderId = randomUUID()
        const { productId, quantity, unitPrice, note } = addLine(orderId)
        orderIds.push(orderId)
        underWay.push(append(new LineAdded(orderId, productId, quantity, unitPrice, note)))
      }
    }
    await Promise.all(underWay)
    return orderIds
  })()
  return {
    /** Resolves with the orders once all of them are written. */
    stop: () => {
      stopping.abort()
      return appending
    },
  }
}

/** Each order has one event. */
function compare(orderIds: readonly string[], lines: ReadonlyMap<string, number>) {
  const counts = orderIds.map((orderId) => lines.get(orderId) ?? 0)
  const skipped = counts.filter((count) => count === 0).length
  return { appended: orderIds.length, skipped, doubled: counts.filter((count) => count > 1).length }
}

function sum(turns: readonly Rebuilt[]) {
  const total = (of: (turn: Rebuilt) => number) => turns.reduce((all, turn) => all + of(turn), 0)
  return {
    appended: total((turn) => turn.appended),
    skipped: total((turn) => turn.skipped),
    doubled: total((turn) => turn.doubled),
  }
}
