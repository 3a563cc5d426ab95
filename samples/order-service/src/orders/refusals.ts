// The reasons for which an order says no, in the language of the domain.
import { DomainError } from '@narrative/core'

export class OrderAlreadyPlaced extends DomainError {
  constructor(orderId: string) {
    super('order.already-placed', `Order ${orderId} was already placed.`, { orderId })
  }
}

export class OrderUnknown extends DomainError {
  constructor(orderId: string) {
    super('order.unknown', `There is no order ${orderId}.`, { orderId })
  }
}

export class OrderAlreadyCancelled extends DomainError {
  constructor(orderId: string) {
    super('order.already-cancelled', `Order ${orderId} was already cancelled.`, { orderId })
  }
}
