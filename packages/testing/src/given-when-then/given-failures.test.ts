// What a specification says when it fails, or expects nothing.
import { describe, expect, test } from 'vitest'
import { given } from './given.js'
import {
  BeStrange,
  CancelOrder,
  CancelTwice,
  InvoiceSent,
  id,
  Line,
  Meddle,
  MeddleLater,
  Order,
  OrderAlreadyPlaced,
  OrderCancelled,
  OrderNotFound,
  OrderPlaced,
  PlaceOrder,
  placed,
  Strange,
} from './orders.test-support.js'

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
