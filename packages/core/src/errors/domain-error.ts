// The optional base of users' own refusals. Errors that do not extend it pass through just as untouched.
const brand = Symbol.for('narrative.domain-error')

/**
 * A refusal in the language of the domain, raised by a command handler: it reaches the caller as it is.
 *
 * @example
 * ```ts
 * export class OrderAlreadyPlaced extends DomainError {
 *   constructor(orderId: string) { super('order.already-placed', `Order ${orderId} was already placed.`, { orderId }) }
 * }
 * ```
 */
export class DomainError extends Error {
  /**
   * @param code a stable name, written by hand (it travels between instances and into HTTP answers)
   * @param message a sentence for a person
   * @param details plain JSON values for programs
   */
  constructor(
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.name = new.target.name
    Object.defineProperty(this, brand, { value: true })
  }
}

/** True for a {@link DomainError} of any copy of this package. */
export function isDomainError(error: unknown): error is DomainError {
  return typeof error === 'object' && error !== null && brand in error
}
