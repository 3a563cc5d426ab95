// The decider of the guide to aggregates: no classes, validated by a Standard Schema.
import { DomainError, defineDecider, type Message } from '@narrative/core'
import { z } from 'zod'

// #region decider
type Reserve = Message<'stock.reserve', { productId: string; quantity: number }>
type Reserved = Message<'stock.reserved', { quantity: number }>

export const stock = defineDecider<number, Reserve, Reserved>({
  category: 'stock',
  commands: {
    'stock.reserve': { schema: z.strictObject({ productId: z.string().min(1), quantity: z.int().positive() }) },
  },
  events: { 'stock.reserved': {} },
  identify: (command) => command.data.productId,
  initial: () => 100,
  decide(command, available) {
    if (command.data.quantity > available) throw new DomainError('stock.short', `Only ${available} are left.`)
    return { type: 'stock.reserved', data: { quantity: command.data.quantity } }
  },
  evolve: (available, event) => available - event.data.quantity,
})
// #endregion
