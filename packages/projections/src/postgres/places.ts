// Some partitions as one parameter of a statement.
import type { Place } from '../runtime/work-share.js'

/** The parameter. */
export function placesOf(partitions: readonly Place[]): string {
  return JSON.stringify(partitions.map(({ topic, partition }) => ({ topic, partition })))
}

/** The condition on `topic` and `partition` of a row. */
export function amongPlaces(parameter: string): string {
  return `(topic, partition) IN (SELECT topic, partition FROM json_to_recordset(${parameter}) AS p(topic text, partition integer))`
}
