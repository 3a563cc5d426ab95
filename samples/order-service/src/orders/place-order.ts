// The command by which a customer places an order.
import { AggregateId, Command, emits, type Fields } from '@narrative/core'
import { Type } from 'class-transformer'
import { ArrayNotEmpty, IsInstance, IsUUID, ValidateNested } from 'class-validator'
import { OrderLine } from './order-line.js'
import type { OrderPlaced } from './order-placed.js'
import { HasExactTotal } from './order-total.js'
import { IsText } from './rules.js'

@Command('order.place')
export class PlaceOrder {
  declare readonly [emits]: OrderPlaced

  @AggregateId() @IsUUID() readonly orderId!: string

  @IsText({ max: 100 }) readonly customerId!: string

  @ArrayNotEmpty({ message: '$property must be an array with at least one line' })
  @IsInstance(OrderLine, { each: true, message: 'each of $property must be an object' })
  @ValidateNested({ each: true })
  @HasExactTotal()
  @Type(() => OrderLine)
  readonly lines!: readonly OrderLine[]

  constructor(fields: Fields<PlaceOrder>) {
    Object.assign(this, fields)
  }
}
