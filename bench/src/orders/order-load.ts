// Orders and commands for the callers: every caller has orders of its own, so that nobody waits for or conflicts with another.
import { createHash } from 'node:crypto'
import { AddLine } from './order.js'

/** Brings the JSON of a line to 300 bytes. */
const note = 'Please deliver to the back door between nine and eleven; ring twice. '.repeat(3).slice(0, 186)

/** A UUID that is the same in every run, so that streams lie in the same partitions. */
export function orderIdOf(number: number): string {
  const hex = createHash('md5').update(`order ${number}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** The next command of a caller, its orders in turn. */
export class OrderLoad {
  readonly #ids: readonly string[]
  readonly #next: number[]
  readonly #callers: number

  /** @param orders ids, or how many */
  constructor(orders: number | readonly string[], callers: number) {
    this.#ids = typeof orders === 'number' ? Array.from({ length: orders }, (_, number) => orderIdOf(number)) : orders
    this.#callers = callers
    this.#next = Array.from({ length: callers }, (_, caller) => caller)
  }

  get ids(): readonly string[] {
    return this.#ids
  }

  nextId(caller: number): string {
    const number = this.#next[caller]!
    const following = number + this.#callers
    this.#next[caller] = following < this.#ids.length ? following : caller
    return this.#ids[number]!
  }

  next(caller: number): AddLine {
    return addLine(this.nextId(caller))
  }
}

/** A command for an order. */
export function addLine(orderId: string): AddLine {
  return new AddLine({ orderId, productId: 'B-4711-XL', quantity: 2, unitPrice: 1999, note })
}
