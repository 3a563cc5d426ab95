// A specification: what it compares, and that it does so once.
import { DomainError, defineDecider, fromJson } from '@narrative/core'
import { ContainerModule } from 'inversify'
import { describe, expect, test } from 'vitest'
import { at } from '../settable-clock.js'
import { given } from './given.js'
import {
  type Add,
  type Added,
  add,
  added,
  BeStrange,
  CancelOrder,
  CancelTwice,
  counter,
  counterParts,
  id,
  Order,
  OrderAlreadyPlaced,
  OrderCancelled,
  OrderNotFound,
  OrderPlaced,
  PlaceOrder,
  placed,
  SendInvoice,
  services,
} from './orders.test-support.js'

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
