// Names that no other test, run or process uses.
import { randomBytes } from 'node:crypto'

/**
 * A fresh name of lower-case letters, digits and one dash: legal as a context, a category, a topic, a consumer group.
 *
 * @example
 * ```ts
 * const context = uniqueName('orders') // orders-5kq8z0r1d2
 * ```
 */
export function uniqueName(prefix = 'test'): string {
  return `${prefix}-${randomBytes(8).readBigUInt64BE().toString(36).padStart(13, '0').slice(-10)}`
}
