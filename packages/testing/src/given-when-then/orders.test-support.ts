// An aggregate, good and bad, and a decider, for tests of the specification itself.
import {
  Aggregate,
  AggregateId,
  Command,
  type CommandContext,
  CommandHandler,
  DomainError,
  defineDecider,
  Event,
  EventHandler,
  emits,
  type Fields,
  type Message,
} from '@narrative/core'
import { IsInt, IsString, Min } from 'class-validator'

export class Line {
  constructor(
    readonly product: string,
    readonly quantity: number,
  ) {}
}

@Event('order.placed')
export class OrderPlaced {
  constructor(
    readonly orderId: string,
    readonly lines: readonly Line[],
    readonly note?: string,
  ) {}
}

@Event('order.cancelled')
export class OrderCancelled {
  constructor(
    readonly orderId: string,
    readonly at: number,
  ) {}
}

@Event('order.strange')
export class Strange {
  constructor(readonly value: unknown) {}
}

@Event('invoice.sent')
export class InvoiceSent {}

@Command('order.place')
export class PlaceOrder {
  declare readonly [emits]: OrderPlaced
  @AggregateId() @IsString() readonly orderId!: string
  @IsInt() @Min(1) readonly quantity!: number
  constructor(fields: Fields<PlaceOrder>) {
    Object.assign(this, fields)
  }
}

export class ById {
  @AggregateId() @IsString() readonly orderId!: string
  constructor(orderId: string) {
    this.orderId = orderId
  }
}

@Command('order.cancel')
export class CancelOrder extends ById {}

@Command('order.cancel-twice')
export class CancelTwice extends ById {}

@Command('order.meddle')
export class Meddle extends ById {}

@Command('order.meddle-later')
export class MeddleLater extends ById {}

@Command('order.be-strange')
export class BeStrange {
  @AggregateId() @IsString() readonly orderId!: string
  @IsInt() readonly kind!: number
  constructor(fields: Fields<BeStrange>) {
    Object.assign(this, fields)
  }
}

@Command('invoice.send')
export class SendInvoice {}

export class OrderAlreadyPlaced extends DomainError {
  constructor(orderId: string) {
    super('order.already-placed', `Order ${orderId} was already placed.`, { orderId, times: 2 })
  }
}
export class OrderNotFound extends Error {}

export class Text {
  constructor(readonly text: string) {}
  toJSON() {
    return this.text
  }
}

export const strangeValues = [new Date(0), new Text('a text')]

@Aggregate('order')
export class Order {
  private status: 'new' | 'placed' | 'cancelled' = 'new'
  private readonly seen = new Map<string, { times: number }>()

  @CommandHandler(PlaceOrder)
  place(command: PlaceOrder) {
    if (this.status !== 'new') throw new OrderAlreadyPlaced(command.orderId)
    return new OrderPlaced(command.orderId, [new Line('tea', command.quantity)])
  }

  @CommandHandler(CancelOrder)
  async cancel(command: CancelOrder, { clock, service }: CommandContext) {
    if (this.status === 'new') throw new OrderNotFound(`There is no order ${command.orderId}.`)
    if (this.status === 'cancelled') return
    return new OrderCancelled(command.orderId, clock.now() + service<number>('delay'))
  }

  @CommandHandler(CancelTwice)
  cancelTwice(command: CancelTwice) {
    return [new OrderCancelled(command.orderId, 1), new OrderCancelled(command.orderId, 2)]
  }

  @CommandHandler(Meddle)
  meddle(command: Meddle) {
    this.seen.set('x', { times: 1 })
    if (this.status === 'new') throw new OrderNotFound()
    return new OrderCancelled(command.orderId, 1)
  }

  @CommandHandler(MeddleLater)
  async meddleLater() {
    await Promise.resolve()
    this.status = 'cancelled'
  }

  @CommandHandler(BeStrange)
  beStrange(command: BeStrange) {
    return new Strange(strangeValues[command.kind])
  }

  @EventHandler(OrderPlaced) onPlaced() {
    this.status = 'placed'
  }
  @EventHandler(OrderCancelled) onCancelled() {
    this.status = 'cancelled'
  }
  @EventHandler(Strange) onStrange() {}
}

export const id = 'order 1'
export const placed = new OrderPlaced(id, [new Line('tea', 2)])
export const services = [['delay', 5]] as const

export type Add = Message<'counter.add', { id: string; by: number }>
export type Added = Message<'counter.added', { by: number }>

export const counterParts = {
  category: 'counter',
  commands: { 'counter.add': {} },
  events: { 'counter.added': {} },
  identify: (command: Add) => command.data.id,
  initial: () => 0,
  evolve: (total: number, event: Added) => total + event.data.by,
}

export const counter = defineDecider<number, Add, Added>({
  ...counterParts,
  decide: (command) => {
    if (command.data.by < 0) throw new DomainError('counter.negative', 'It only counts up.')
    return command.data.by === 0 ? undefined : added(command.data.by)
  },
})

export function add(by: number): Add {
  return { type: 'counter.add', data: { id: '1', by } }
}

export function added(by: number): Added {
  return { type: 'counter.added', data: { by } }
}
