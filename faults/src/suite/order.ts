// What the instances serve: an aggregate whose state is its history, and a view of it, so that every copy can be compared.
import { DomainError, defineDecider, type Message } from '@narrative/core'
import { column, defineProjection, table } from '@narrative/projections'

export type Place = Message<
  'order.place',
  {
    readonly orderId: string
    /** One event each; they name the attempt, so that the log says which of several attempts it was. */
    readonly marks: readonly string[]
    readonly refuse: boolean
  }
>
export type Placed = Message<
  'order.placed',
  {
    readonly mark: string
    /** How many events its command was decided upon. */
    readonly upon: number
  }
>

export class OrderRefused extends DomainError {
  constructor(readonly orderId: string) {
    super('order.refused', `Order ${orderId} takes no more.`, { orderId })
  }
}

export const order = defineDecider<readonly string[], Place, Placed>({
  category: 'order',
  commands: { 'order.place': {} },
  events: { 'order.placed': {} },
  identify: ({ data }) => data.orderId,
  initial: () => [],
  decide({ data }, marks) {
    if (data.refuse) throw new OrderRefused(data.orderId)
    return data.marks.map((mark) => ({ type: 'order.placed', data: { mark, upon: marks.length } }))
  },
  evolve: (marks, { data }) => [...marks, data.mark],
})

/** The same fold as a table; by name, since a table is written by one projection. */
export function ordersView(name: string) {
  const orders = table(name.replaceAll('-', '_'), {
    key: 'orderId',
    columns: { orderId: 'text', marks: column<readonly string[]>('jsonb') },
  })
  const view = defineProjection({
    name,
    from: [order],
    table: orders,
    on: {
      'order.placed': (row, { data }: Placed, { aggregateId }) => {
        return { orderId: aggregateId, marks: [...(row?.marks ?? []), data.mark] }
      },
    },
  })
  return { orders, view }
}
