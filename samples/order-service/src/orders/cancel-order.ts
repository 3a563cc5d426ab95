// The command by which an order is cancelled.
import { AggregateId, Command, emits, type Fields } from '@narrative/core'
import { IsUUID } from 'class-validator'
import type { OrderCancelled } from './order-cancelled.js'
import { IsText } from './rules.js'

@Command('order.cancel')
export class CancelOrder {
  declare readonly [emits]: OrderCancelled

  @AggregateId() @IsUUID() readonly orderId!: string

  @IsText({ max: 500, lines: 'many' }) readonly reason!: string

  constructor(fields: Fields<CancelOrder>) {
    Object.assign(this, fields)
  }
}
