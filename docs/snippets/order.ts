// The order of the README and the guides.
// biome-ignore-all assist/source/organizeImports: two short lines instead of ten in the README
// #region order
import { Aggregate, AggregateId, Command, CommandHandler } from '@narrative/core'
import { DomainError, Event, EventHandler, type Fields } from '@narrative/core'
import { IsInt, IsUUID, Min } from 'class-validator'

@Command('order.place')
export class PlaceOrder {
  @AggregateId() @IsUUID() readonly orderId!: string
  @IsInt() @Min(1) readonly total!: number // cents
  constructor(fields: Fields<PlaceOrder>) {
    Object.assign(this, fields)
  }
}

@Event('order.placed')
export class OrderPlaced {
  constructor(readonly total: number) {}
}

@Aggregate('order')
export class Order {
  private placed = false

  @CommandHandler(PlaceOrder) place(command: PlaceOrder) {
    if (this.placed) throw new DomainError('order.already-placed', 'This order was already placed.')
    return new OrderPlaced(command.total)
  }
  @EventHandler(OrderPlaced) onPlaced() {
    this.placed = true
  }
}
// #endregion
