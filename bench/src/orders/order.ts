// The aggregate under measurement: a validated command, a decision on the state, an event of about 300 bytes.
import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler, type Fields } from '@narrative/core'
import { IsInt, IsPositive, IsString, IsUUID, Length, MaxLength } from 'class-validator'

/** Puts a line into an order. */
@Command('bench.order.add-line')
export class AddLine {
  @AggregateId() @IsUUID() readonly orderId!: string
  @IsString() @Length(1, 40) readonly productId!: string
  @IsInt() @IsPositive() readonly quantity!: number
  @IsInt() @IsPositive() readonly unitPrice!: number
  @IsString() @MaxLength(400) readonly note!: string

  constructor(fields: Fields<AddLine>) {
    Object.assign(this, fields)
  }
}

/** A line was put into an order. */
@Event('bench.order.line-added')
export class LineAdded {
  constructor(
    readonly orderId: string,
    readonly productId: string,
    readonly quantity: number,
    readonly unitPrice: number,
    readonly note: string,
  ) {}
}

/** The rule both sides check before an event is appended. */
export const creditLimit = Number.MAX_SAFE_INTEGER

@Aggregate('order')
export class Order {
  private lines = 0
  private total = 0

  @CommandHandler(AddLine)
  addLine({ orderId, productId, quantity, unitPrice, note }: AddLine) {
    if (this.total + quantity * unitPrice > creditLimit)
      throw new Error(`Order ${orderId} is full at ${this.lines} lines`)
    return new LineAdded(orderId, productId, quantity, unitPrice, note)
  }

  @EventHandler(LineAdded)
  onLineAdded(event: LineAdded) {
    this.lines++
    this.total += event.quantity * event.unitPrice
  }
}
