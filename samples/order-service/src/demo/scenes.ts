// What the demo shows, scene by scene.
import { randomUUID } from 'node:crypto'
import type { Projections } from '@narrative/projections'
import type { OrderRow } from '../orders-view/orders-table.js'
import { OrdersView } from '../orders-view/orders-view.js'
import { columns } from '../terminal/columns.js'
import { bold, dim } from '../terminal/paint.js'
import { number, ProgressBar } from '../terminal/progress-bar.js'
import type { Answer, Client } from './client.js'
import { short } from './event-line.js'
import type { Narrator } from './narrator.js'

export interface Stage {
  readonly client: Client
  readonly narrator: Narrator
  readonly views: Projections
}

const tea = { productId: 'tea', quantity: 2, unitPrice: 450 }
const cup = { productId: 'cup', quantity: 1, unitPrice: 1200 }

export async function play(stage: Stage): Promise<void> {
  const ada = await orders(stage)
  await conflictAndRefusal(stage, ada)
  await view(stage, ada)
  await past(stage, ada)
  await crowd(stage)
  await rebuild(stage)
}

function scene(title: string): void {
  console.log(`\n${bold(title)}`)
}

/** Returns the path of an order. */
async function orders({ client }: Stage): Promise<string> {
  scene('Orders over HTTP become events')
  const order = { customerId: 'ada', lines: [tea, cup] }
  // A Kafka that outlives the demo remembers the keys of the last one.
  const key = { 'Idempotency-Key': `ada-${randomUUID().slice(-8)}` }
  const placed = await client.show('POST', '/v1/orders', order, key)
  await client.show('POST', '/v1/orders', { customerId: 'ada', lines: [{ ...cup, quantity: 4 }] })
  await client.show('POST', '/v1/orders', {
    customerId: 'bob',
    lines: [{ productId: 'coffee', quantity: 1, unitPrice: 390 }],
  })

  scene('The same Idempotency-Key again: the same answer, and no second event')
  const again = await client.show('POST', '/v1/orders', order, key)
  const same = again.headers.get('location') === placed.headers.get('location')
  console.log(dim(`    ${same ? 'the order of before' : 'ANOTHER order'}: ${short(again.body.orderId)}`))
  return placed.headers.get('location')!
}

async function conflictAndRefusal({ client }: Stage, order: string): Promise<void> {
  scene('Two people decide on version 1: one is too late; and what is done is done')
  await client.show('POST', `${order}/cancel`, { reason: 'found a nicer cup' }, { 'If-Match': '"1"' })
  await client.show('POST', `${order}/cancel`, { reason: 'too expensive' }, { 'If-Match': '"1"' })
  await client.show('POST', `${order}/cancel`, { reason: 'too expensive' })
}

async function view({ client }: Stage, order: string): Promise<void> {
  scene('The view: events folded into rows')
  const last = await client.post('/v1/orders', { customerId: 'ada', lines: [{ ...tea, quantity: 1 }] })
  const readYourWrite = { 'Narrative-After': last.headers.get('narrative-position')! }
  const { body } = await client.show('GET', '/v1/orders?customerId=ada', undefined, readYourWrite)
  const rows = (body.orders as OrderRow[]).map(({ orderId, customerId, status, lines, total, version }) => [
    order.endsWith(orderId) ? `${short(orderId)} *` : short(orderId),
    customerId,
    status,
    lines.map(({ quantity, productId }) => `${quantity} ${productId}`).join(', '),
    (total / 100).toFixed(2),
    String(version),
  ])
  const headings = ['order', 'customer', 'status', 'lines', 'total', 'version'].map((heading, i) => ({
    heading,
    align: i > 3 ? ('right' as const) : ('left' as const),
  }))
  for (const line of columns(headings, rows)) console.log(`    ${line}`)
}

async function past({ client }: Stage, order: string): Promise<void> {
  scene('Nothing is overwritten: the history of *, and how it was')
  const history = await client.show('GET', `${order}/history`)
  for (const { version, type, time, data } of history.body.events) {
    console.log(
      `    v${version}  ${time}  ${type.padEnd(15)}  ${dim(data.reason ?? `total ${(data.total / 100).toFixed(2)}`)}`,
    )
  }
  await client.show('GET', `${order}?asOf=1`)
  await client.show('GET', order)
}

const callers = 32
const duration = 1_000

async function crowd({ client, narrator }: Stage): Promise<void> {
  scene(`A second of ${callers} callers at once`)
  narrator.quiet = true
  const began = performance.now()
  const placed: Answer[] = []
  const caller = async (_: unknown, index: number): Promise<void> => {
    while (performance.now() - began < duration) {
      const answer = await client.post('/v1/orders', { customerId: `customer-${index}`, lines: [tea] })
      if (answer.status !== 201) throw new Error(`An order was not placed: ${JSON.stringify(answer.body)}`)
      placed.push(answer)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - began) / 1000
  for (const { headers } of placed) await narrator.hasTold(headers.get('narrative-position')!)
  const rate = bold(`${number(placed.length / seconds)} orders/s`)
  console.log(`    ${number(placed.length)} orders, each with its event in the log: ${rate}`)
  console.log(dim('    over HTTP, with the callers in the same process as the service'))
  narrator.quiet = false
}

async function rebuild({ views }: Stage): Promise<void> {
  scene('The view again, from offset 0, beside the one that is being read')
  const bar = new ProgressBar()
  try {
    await views.rebuild(OrdersView, { onProgress: bar.update })
  } finally {
    bar.finish()
  }
}
