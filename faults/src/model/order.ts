// The aggregate of the model. Who sends a command says which ids its events have, so that the log tells whose they are.
import { DomainError, defineDecider, type Message, type NewEvent } from '@narrative/core'

/** `parity`: only after an even, or an odd, number of events. So what is refused now may be accepted a moment later. */
export type PlaceOrder = Message<'order.place', { orderId: string; eventIds: readonly string[]; parity?: 0 | 1 }>
/** `upon`: how many events its command was decided upon. */
type Placed = Message<'order.placed', { id: string; upon?: number }>

export const order = defineDecider<number, PlaceOrder, Placed>({
  category: 'order',
  commands: { 'order.place': {} },
  events: { 'order.placed': {} },
  identify: ({ data }) => data.orderId,
  initial: () => 0,
  decide({ data: { eventIds, parity } }, events) {
    if (parity !== undefined && parity !== events % 2)
      throw new DomainError('order.closed', 'Not after this many events.')
    return eventIds.map((id) => ({ type: 'order.placed', data: { id, upon: events } }))
  },
  evolve: (events) => events + 1,
})

/** The same event for those who append by themselves. */
export function placed(id: string): NewEvent {
  const data = Buffer.from(JSON.stringify({ id }))
  return { id, type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data }
}

/** What the author of an event said of it. */
export function marksIn(data: Uint8Array): Placed['data'] {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()) as Placed['data']
}
