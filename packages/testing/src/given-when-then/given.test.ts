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
  fromJson,
  type Message,
} from '@narrative/core'
import { IsInt, IsString, Min } from 'class-validator'
import { ContainerModule } from 'inversify'
import { describe, expect, test } from 'vitest'
import { at } from '../settable-clock.js'
import { given } from './given.js'

class Line {
  constructor(
    readonly product: string,
    readonly quantity: number,
  ) {}
}

@Event('order.placed')
class OrderPlaced {
  constructor(
    readonly orderId: string,
    readonly lines: readonly Line[],
    readonly note?: string,
  ) {}
}

@Event('order.cancelled')
class OrderCancelled {
  constructor(
    readonly orderId: string,
    readonly at: number,
  ) {}
}

@Event('order.strange')
class Strange {
  constructor(readonly value: unknown) {}
}

@Event('invoice.sent')
class InvoiceSent {}

@Command('order.place')
class PlaceOrder {
  declare readonly [emits]: OrderPlaced
  @AggregateId() @IsString() readonly orderId!: string
  @IsInt() @Min(1) readonly quantity!: number
  constructor(fields: Fields<PlaceOrder>) {
    Object.assign(this, fields)
  }
}

class ById {
  @AggregateId() @IsString() readonly orderId!: string
  constructor(orderId: string) {
    this.orderId = orderId
  }
}

@Command('order.cancel')
class CancelOrder extends ById {}

@Command('order.cancel-twice')
class CancelTwice extends ById {}

@Command('order.meddle')
class Meddle extends ById {}

@Command('order.meddle-later')
class MeddleLater extends ById {}

@Command('order.be-strange')
class BeStrange {
  @AggregateId() @IsString() readonly orderId!: string
  @IsInt() readonly kind!: number
  constructor(fields: Fields<BeStrange>) {
    Object.assign(this, fields)
  }
}

@Command('invoice.send')
class SendInvoice {}

class OrderAlreadyPlaced extends DomainError {
  constructor(orderId: string) {
    super('order.already-placed', `Order ${orderId} was already placed.`, { orderId, times: 2 })
  }
}
class OrderNotFound extends Error {}

class Text {
  constructor(readonly text: string) {}
  toJSON() {
    return this.text
  }
}

const strangeValues = [new Date(0), new Text('a text')]

@Aggregate('order')
class Order {
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

const id = 'order 1'
const placed = new OrderPlaced(id, [new Line('tea', 2)])
const services = [['delay', 5]] as const

describe('an aggregate that behaves', () => {
  test('exactly the expected events', async () => {
    await given(Order)
      .when(new PlaceOrder({ orderId: id, quantity: 2 }))
      .then(placed)
    await given(Order).when(new CancelTwice(id)).then(new OrderCancelled(id, 1), new OrderCancelled(id, 2))
  })

  test('a history, a clock that is set, services', async () => {
    const clock = at('2026-02-03T04:05:06Z')
    const expected = new OrderCancelled(id, Date.UTC(2026, 1, 3, 4, 5, 6) + 5)
    await given(Order, { clock, services }).events(placed).when(new CancelOrder(id)).then(expected)
  })

  test('a service given by id replaces the one of a module', async () => {
    const modules = [new ContainerModule(({ bind }) => void bind('delay').toConstantValue(1000))]
    const clock = at(0)
    await given(Order, { clock, modules }).events(placed).when(new CancelOrder(id)).then(new OrderCancelled(id, 1000))
    await given(Order, { clock, modules, services })
      .events(placed)
      .when(new CancelOrder(id))
      .then(new OrderCancelled(id, 5))
  })

  test('no events', async () => {
    await given(Order, { services }).events(placed, new OrderCancelled(id, 1)).when(new CancelOrder(id)).thenNothing()
  })

  test('rejections by class, by code, with details', async () => {
    const again = () =>
      given(Order)
        .events(placed)
        .when(new PlaceOrder({ orderId: id, quantity: 1 }))
    await again().thenRejects(OrderAlreadyPlaced)
    await again().thenRejects(DomainError)
    await again().thenRejects('order.already-placed')
    await again().thenRejects(OrderAlreadyPlaced, { orderId: id })
    await again().thenRejects(OrderAlreadyPlaced, (error) => expect(error.message).toContain('already placed'))
    await given(Order).when(new CancelOrder(id)).thenRejects(OrderNotFound)
  })

  test('rejections of the framework: validation, unknown commands, expected versions', async () => {
    await given(Order)
      .when(fromJson(PlaceOrder, { orderId: 7, quantity: 0, extra: 1 }))
      .thenRejects('COMMAND_INVALID', { command: 'order.place' })
    await given(Order).events(placed).when(new SendInvoice()).thenRejects('COMMAND_UNKNOWN')
    await given(Order)
      .when(new CancelTwice(id), { expectedVersion: 3 })
      .thenRejects('VERSION_CONFLICT', { actualVersion: 0 })
    await given(Order)
      .when(new BeStrange({ orderId: id, kind: 0 }))
      .thenRejects('EVENT_UNENCODABLE')
  })

  test('the state afterwards, by its fields or by a function; both beside the events', async () => {
    const placing = given(Order).when(new PlaceOrder({ orderId: id, quantity: 2 }))
    await placing.then(placed)
    await placing.thenState({ status: 'placed', seen: new Map() })
    await placing.thenState((order) => expect(order).toBeInstanceOf(Order))
  })

  test('a decider', async () => {
    await given(counter).events(added(1), added(2)).when(add(4)).then(added(4))
    await given(counter)
      .events(added(1))
      .when(add(4))
      .thenState((total) => expect(total).toBe(5))
    await given(counter).when(add(0)).thenNothing()
    await given(counter).when(add(-1)).thenRejects('counter.negative')
  })

  test('an event is compared by its data: classes inside it and undefined properties do not matter', async () => {
    const plain = new OrderPlaced(id, [{ product: 'tea', quantity: 2 }], undefined)
    await given(Order)
      .when(new PlaceOrder({ orderId: id, quantity: 2 }))
      .then(plain)
  })
})

describe('a test that fails says why', () => {
  const placing = () => given(Order).when(new PlaceOrder({ orderId: id, quantity: 2 }))

  test('another event', async () => {
    await expect(
      placing().then(new OrderPlaced(id, [new Line('coffee', 2)])),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The events are not the expected ones (- expected, + actual):

          order.placed {
            lines: [
              {
        -       product: 'coffee',
        +       product: 'tea',
                quantity: 2
              }
            ],
            orderId: 'order 1'
          }

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 2 }]
    `)
  })

  test('a missing event', async () => {
    await expect(placing().then(placed, placed)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The events are not the expected ones (- expected, + actual):

          order.placed {
            lines: [
              {
                product: 'tea',
                quantity: 2
              }
            ],
            orderId: 'order 1'
          }
        - order.placed {
        -   lines: [
        -     {
        -       product: 'tea',
        -       quantity: 2
        -     }
        -   ],
        -   orderId: 'order 1'
        - }

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 2 }]
    `)
  })

  test('an extra event', async () => {
    const twice = given(Order).events(placed).when(new CancelTwice(id))
    await expect(twice.then(new OrderCancelled(id, 2))).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The events are not the expected ones (- expected, + actual):

          order.cancelled {
        +   at: 1,
        +   orderId: 'order 1'
        + }
        + order.cancelled {
            at: 2,
            orderId: 'order 1'
          }

        given  order.placed { orderId: 'order 1', lines: [ { product: 'tea', quantity: 2 } ] }
        when   order.cancel-twice { orderId: 'order 1' }]
    `)
  })

  test('events in another order', async () => {
    const twice = given(Order).events(placed).when(new CancelTwice(id))
    const backwards = twice.then(new OrderCancelled(id, 2), new OrderCancelled(id, 1))
    await expect(backwards).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The events are not the expected ones (- expected, + actual):

          order.cancelled {
        -   at: 2,
        +   at: 1,
            orderId: 'order 1'
          }
          order.cancelled {
        -   at: 1,
        +   at: 2,
            orderId: 'order 1'
          }

        given  order.placed { orderId: 'order 1', lines: [ { product: 'tea', quantity: 2 } ] }
        when   order.cancel-twice { orderId: 'order 1' }]
    `)
  })

  test('events where none are expected', async () => {
    await expect(placing().thenNothing()).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected no events, but there are some (- expected, + actual):

        - no events
        + order.placed {
        +   lines: [
        +     {
        +       product: 'tea',
        +       quantity: 2
        +     }
        +   ],
        +   orderId: 'order 1'
        + }

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 2 }]
    `)
  })

  test('a rejection where events are expected', async () => {
    const again = given(Order)
      .events(placed)
      .when(new PlaceOrder({ orderId: id, quantity: 1 }))
    await expect(again.then(placed)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected order.placed, but the command was rejected with OrderAlreadyPlaced [order.already-placed]: Order order 1 was already placed.

        given  order.placed { orderId: 'order 1', lines: [ { product: 'tea', quantity: 2 } ] }
        when   order.place { orderId: 'order 1', quantity: 1 }]
    `)
    await expect(again.then(placed)).rejects.toMatchObject({ cause: expect.any(OrderAlreadyPlaced) })
  })

  test('an invalid command where events are expected', async () => {
    const invalid = given(Order).when(new PlaceOrder({ orderId: id, quantity: 0 }))
    await expect(invalid.then(placed)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected order.placed, but the command was rejected with NarrativeError [COMMAND_INVALID]: Command order.place is not acceptable: quantity: quantity must not be less than 1.

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 0 }]
    `)
  })

  test('events where a rejection is expected', async () => {
    await expect(placing().thenRejects(OrderAlreadyPlaced)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected the rejection OrderAlreadyPlaced, but the command was accepted and led to order.placed.

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 2 }]
    `)
  })

  test('another rejection', async () => {
    const missing = given(Order).when(new CancelOrder(id))
    await expect(missing.thenRejects('order.already-placed')).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected the rejection order.already-placed, but the command was rejected with Error: There is no order order 1.

        given  nothing
        when   order.cancel { orderId: 'order 1' }]
    `)
  })

  test('a rejection of another class, or one that its function refuses', async () => {
    const missing = given(Order).when(new CancelOrder(id))
    await expect(missing.thenRejects(OrderAlreadyPlaced)).rejects.toThrow(
      'Expected the rejection OrderAlreadyPlaced, but the command was rejected with Error: There is no order order 1.',
    )
    const refused = missing.thenRejects(OrderNotFound, (error) => expect(error.message).toBe('another'))
    await expect(refused).rejects.toThrow('another')
    await expect(missing.thenState(() => expect(1).toBe(2))).rejects.toThrow('There is no order')
    const placed = given(Order).when(new PlaceOrder({ orderId: id, quantity: 2 }))
    await expect(placed.thenState(() => expect(1).toBe(2))).rejects.toThrow('expected 1 to be 2')
  })

  test('other details', async () => {
    const again = given(Order)
      .events(placed)
      .when(new PlaceOrder({ orderId: id, quantity: 1 }))
    const details = again.thenRejects(OrderAlreadyPlaced, { orderId: 'order 2' })
    await expect(details).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: In the details of OrderAlreadyPlaced, not all is as expected (- expected, + actual):

          {
        -   orderId: 'order 2'
        +   orderId: 'order 1'
          }

        given  order.placed { orderId: 'order 1', lines: [ { product: 'tea', quantity: 2 } ] }
        when   order.place { orderId: 'order 1', quantity: 1 }]
    `)
  })

  test('another state', async () => {
    await expect(placing().thenState({ status: 'new' })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: In the state, not all is as expected (- expected, + actual):

          {
        -   status: 'new'
        +   status: 'placed'
          }

        given  nothing
        when   order.place { orderId: 'order 1', quantity: 2 }]
    `)
  })

  test('a state where the command is rejected', async () => {
    const missing = given(Order).when(new CancelOrder(id))
    await expect(missing.thenState({ status: 'new' })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected a state, but the command was rejected with Error: There is no order order 1.

        given  nothing
        when   order.cancel { orderId: 'order 1' }]
    `)
  })

  test('a command handler that changes the state itself', async () => {
    const meddling = given(Order).events(placed).when(new Meddle(id))
    await expect(meddling.then(new OrderCancelled(id, 1))).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The command handler changed the state itself, which no event tells of; return an event and change the state in its @EventHandler (- expected, + actual):

          Order {
            status: 'placed',
        -   seen: Map(0) {}
        +   seen: Map(1) {
        +     'x' => {
        +       times: 1
        +     }
        +   }
          }

        given  order.placed { orderId: 'order 1', lines: [ { product: 'tea', quantity: 2 } ] }
        when   order.meddle { orderId: 'order 1' }]
    `)
    await expect(meddling.thenState({ status: 'cancelled' })).rejects.toThrow('changed the state itself')
    const refused = given(Order).when(new Meddle(id)).thenRejects(OrderNotFound)
    await expect(refused).rejects.toThrow('changed the state itself')
    await expect(given(Order).when(new MeddleLater(id)).thenNothing()).rejects.toThrow('changed the state itself')
  })

  test('an event that does not survive storage', async () => {
    const json = given(Order).when(new BeStrange({ orderId: id, kind: 1 }))
    await expect(json.then(new Strange('a text'))).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: An event does not survive storage: what is read back differs from what the command handler returned (- expected, + actual):

          order.strange {
        -   value: {
        -     text: 'a text'
        -   }
        +   value: 'a text'
          }

        given  nothing
        when   order.be-strange { orderId: 'order 1', kind: 1 }]
    `)
    const date = given(Order)
      .when(new BeStrange({ orderId: id, kind: 0 }))
      .thenNothing()
    await expect(date).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: Expected no events, but the command was rejected with NarrativeError [EVENT_UNENCODABLE]: Event order.strange would not survive storage: value is a Date, which comes back from JSON as something else. Use plain JSON values, or give @Event a revive function.

        given  nothing
        when   order.be-strange { orderId: 'order 1', kind: 0 }]
    `)
  })

  test('events of somebody else', async () => {
    const foreign = given(Order).events(new InvoiceSent()).when(new CancelOrder(id)).thenNothing()
    await expect(foreign).rejects.toMatchObject({ code: 'EVENT_FOREIGN' })
    await expect(placing().then(new InvoiceSent() as never)).rejects.toMatchObject({ code: 'EVENT_FOREIGN' })
    await expect(placing().then(OrderPlaced as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[AssertionError: then(...) takes events, but got [class OrderPlaced].]`,
    )
  })

  test('an aggregate with start-up faults', async () => {
    class Unmarked {}
    await expect(given(Unmarked).when(new CancelOrder(id)).thenNothing()).rejects.toThrowErrorMatchingInlineSnapshot(`
      [NarrativeError: Unmarked cannot be tested before it is a whole aggregate:
        - Class Unmarked is not marked with @Aggregate(category).
        - Aggregate Unmarked has no @CommandHandler.
        - Aggregate Unmarked has no @EventHandler: mark one for every event it may emit, even if its state does not change.]
    `)
  })

  test('expected and actual values for tools that show them', async () => {
    const error = await placing()
      .thenNothing()
      .catch((e: unknown) => e)
    expect(error).toMatchObject({
      name: 'AssertionError',
      code: 'ERR_ASSERTION',
      expected: [],
      actual: [{ type: 'order.placed', data: { orderId: id, lines: [{ product: 'tea', quantity: 2 }] } }],
    })
  })
})

describe('a test that forgets what it expects', () => {
  test('and awaits the command', async () => {
    const unfinished = async () => {
      // @ts-expect-error The compiler refuses it, too: an expectation is not a promise.
      await given(Order).when(new CancelOrder(id))
    }
    await expect(unfinished()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[AssertionError: This test expects nothing: end it with .then(...events), .thenNothing(), .thenRejects(error) or .thenState(state), and await that.]`,
    )
  })

  test('and returns it', async () => {
    // @ts-expect-error Nor can it be returned as one.
    const unfinished = async (): Promise<unknown> => given(Order).when(new CancelOrder(id))
    await expect(unfinished()).rejects.toThrow('This test expects nothing')
    await expect(Promise.resolve(given(Order).when(new CancelOrder(id)))).rejects.toThrow('This test expects nothing')
  })

  test('the earlier phases are no promises', async () => {
    const order = given(Order)
    expect(await order).toBe(order)
    expect('then' in order).toBe(false)
    expect('then' in order.events(placed)).toBe(false)
  })
})

test('a specification carries its command out once', async () => {
  let decisions = 0
  const counting = defineDecider<number, Add, Added>({
    ...counterParts,
    decide: () => {
      decisions++
      return added(1)
    },
  })
  const specification = given(counting).when(add(1))
  await specification.then(added(1))
  await specification.thenState((total) => expect(total).toBe(1))
  expect(decisions).toBe(1)
})

type Add = Message<'counter.add', { id: string; by: number }>
type Added = Message<'counter.added', { by: number }>

const counterParts = {
  category: 'counter',
  commands: { 'counter.add': {} },
  events: { 'counter.added': {} },
  identify: (command: Add) => command.data.id,
  initial: () => 0,
  evolve: (total: number, event: Added) => total + event.data.by,
}

const counter = defineDecider<number, Add, Added>({
  ...counterParts,
  decide: (command) => {
    if (command.data.by < 0) throw new DomainError('counter.negative', 'It only counts up.')
    return command.data.by === 0 ? undefined : added(command.data.by)
  },
})

function add(by: number): Add {
  return { type: 'counter.add', data: { id: '1', by } }
}

function added(by: number): Added {
  return { type: 'counter.added', data: { by } }
}
