// What a handler of several tables returns for a row that is to go.

/** What {@link deleted} returns. */
export class DeletedRow<R extends object = object> {
  constructor(readonly row: R) {}
}

/**
 * Says that a row is to be deleted, in what a handler of several tables returns: leaving a row out leaves it as it is.
 *
 * @param row the row, or an object with its key columns; undefined when there is none, which changes nothing
 * @example
 * ```ts
 * erased({ customers, orders }: { customers: CustomerRow | undefined; orders: readonly OrderRow[] }) {
 *   return { customers: deleted(customers), orders: orders.map((order) => deleted(order)) }
 * }
 * ```
 */
export function deleted<R extends object>(row: R): DeletedRow<R>
export function deleted<R extends object>(row: R | undefined): DeletedRow<R> | undefined
export function deleted<R extends object>(row: R | undefined): DeletedRow<R> | undefined {
  return row && new DeletedRow(row)
}
