// A recorded event as the command shows it.
import { formatPosition, type RecordedEvent } from '@narrative/core'

/** One event as a JSON object: `data` is what is stored, before any upcasting. */
export interface EventRecord {
  readonly streamId: string
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  /** ISO 8601. */
  readonly time: string
  /** A token such as `shop.order.events/0@42`. */
  readonly position: string
  readonly id: string
  readonly contentType: string
  /** The data as JSON; in base64 when it is none. */
  readonly data: unknown
  readonly metadata: RecordedEvent['metadata']
}

/** Copies an event out of the bytes it was fetched in. */
export function eventRecord(event: RecordedEvent): EventRecord {
  const { streamId, version, type, schemaVersion, id, contentType, metadata } = event
  return {
    ...{ streamId, version, type, schemaVersion },
    time: new Date(event.time).toISOString(),
    position: formatPosition(event.position),
    ...{ id, contentType, data: dataOf(event), metadata },
  }
}

function dataOf({ data }: RecordedEvent): unknown {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return bytes.toString('base64') // shown as it is: to see what is wrong with it somebody looks here
  }
}
