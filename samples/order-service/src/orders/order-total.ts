// What an order comes to, exactly; and the rule that refuses an order whose total is no longer exact.
import { ValidateBy } from 'class-validator'
import type { OrderLine } from './order-line.js'

/** The sum of quantity × unit price, in cents. Exact for every order that {@link HasExactTotal} lets pass. */
export function totalOf(lines: readonly OrderLine[]): number {
  return Number(exactTotal(lines))
}

/** Beyond 2^53 a number no longer tells one cent from the next, and neither does JSON. */
export function HasExactTotal(): PropertyDecorator {
  return ValidateBy({
    name: 'hasExactTotal',
    validator: {
      validate: (lines: unknown) => !areWhole(lines) || exactTotal(lines) <= BigInt(Number.MAX_SAFE_INTEGER),
      defaultMessage: () => `$property must come to a total of at most ${Number.MAX_SAFE_INTEGER} cents`,
    },
  })
}

function exactTotal(lines: readonly OrderLine[]): bigint {
  return lines.reduce((sum, line) => sum + BigInt(line.quantity) * BigInt(line.unitPrice), 0n)
}

/** Lines with other faults have no total: those faults are reported by their own rules. */
function areWhole(lines: unknown): lines is OrderLine[] {
  return (
    Array.isArray(lines) &&
    lines.every((line) => Number.isSafeInteger(line?.quantity) && Number.isSafeInteger(line?.unitPrice))
  )
}
