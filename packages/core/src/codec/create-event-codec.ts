// The JSON codec: event object → bytes, bytes → upcast → event object.
import { randomUUID } from 'node:crypto'
import { NarrativeError } from '../errors/narrative-error.js'
import type { NewEvent, RecordedEvent } from '../event-store/recorded-event.js'
import { formatPosition } from '../messages/position.js'
import type { EventCodec, EventPlace } from './event-codec.js'
import type { EventType } from './event-type.js'
import { findUnstorable } from './find-unstorable.js'

const contentType = 'application/json'

/**
 * Makes the codec of these event types.
 *
 * Names must be unique: a start-up check has seen to that.
 */
export function createEventCodec(eventTypes: Iterable<EventType>): EventCodec {
  const types = new Map<string, EventType>()
  const byClass = new Map<unknown, EventType>()
  for (const type of eventTypes) {
    types.set(type.name, type)
    if (type.eventClass !== undefined) byClass.set(type.eventClass, type)
  }
  const typeOf = (event: object): EventType => {
    const type = byClass.get(event.constructor) ?? types.get((event as { type?: unknown }).type as string)
    if (type === undefined) throw foreignEvent(event)
    return type
  }
  const known = (event: Named): EventType => {
    const type = types.get(event.type)
    if (type === undefined) throw unknownEvent(event)
    return type
  }

  return {
    types,
    encode: (event) => encodeEvent(typeOf(event), event),
    decode: (recorded) => decodeEvent(known(recorded), recorded),
    toJson(event) {
      const type = typeOf(event)
      return { type: type.name, schemaVersion: type.version, data: type.plain(event) }
    },
    fromJson({ type, schemaVersion, data }, place) {
      const named = { type, schemaVersion, ...place }
      return revive(known(named), named, data)
    },
  }
}

/** An event by what errors say of it. */
type Named = Pick<RecordedEvent, 'type' | 'schemaVersion'> & EventPlace

function encodeEvent(type: EventType, event: object): NewEvent {
  const plain = type.plain(event)
  const unstorable = type.revivesRichValues ? undefined : findUnstorable(plain)
  if (unstorable !== undefined) throw unencodable(type, unstorable)
  let text: string
  try {
    text = JSON.stringify(plain)
  } catch (cause) {
    throw unencodable(type, 'JSON.stringify fails on it', cause)
  }
  return { id: randomUUID(), type: type.name, schemaVersion: type.version, contentType, data: Buffer.from(text) }
}

function decodeEvent(type: EventType, recorded: RecordedEvent): object {
  if (recorded.contentType !== contentType)
    throw undecodable(recorded, `its content type is ${recorded.contentType}, not ${contentType}`)
  let data: unknown
  try {
    const { buffer, byteOffset, byteLength } = recorded.data
    data = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'))
  } catch (cause) {
    throw undecodable(recorded, 'its data is not JSON', cause)
  }
  return revive(type, recorded, data)
}

/** Plain data of the version it was written at, as today's event. */
function revive(type: EventType, recorded: Named, data: unknown): object {
  if (recorded.schemaVersion > type.version) {
    throw undecodable(
      recorded,
      `it was written at schema version ${recorded.schemaVersion}, but this program knows version ${type.version}; deploy the newer program`,
    )
  }
  for (let version = recorded.schemaVersion; version < type.version; version++) {
    const upcast = type.upcasters.get(version)
    if (upcast === undefined) {
      throw undecodable(
        recorded,
        `there is no upcaster from version ${version} to ${version + 1}; add upcast: { ${version}: … } to @Event`,
      )
    }
    try {
      data = upcast(data)
    } catch (cause) {
      throw undecodable(recorded, `its upcaster from version ${version} failed`, cause)
    }
  }
  try {
    return type.revive(data)
  } catch (cause) {
    throw undecodable(recorded, 'it could not be revived', cause)
  }
}

function foreignEvent(event: object): NarrativeError {
  const name = event.constructor?.name ?? 'object'
  return new NarrativeError('EVENT_FOREIGN', {
    message: `A value of ${name} is not an event of this application; mark its class with @Event(name) and handle it in an aggregate.`,
    details: { value: name },
  })
}

function unencodable(type: EventType, reason: string, cause?: unknown): NarrativeError {
  return new NarrativeError('EVENT_UNENCODABLE', {
    message: `Event ${type.name} would not survive storage: ${reason}. Use plain JSON values, or give @Event a revive function.`,
    details: { type: type.name, reason },
    cause,
  })
}

function whereOf(recorded: Named): string {
  return `${recorded.type} (stream ${recorded.streamId}, version ${recorded.version}) at ${formatPosition(recorded.position)}`
}

function unknownEvent(recorded: Named): NarrativeError {
  return new NarrativeError('EVENT_UNKNOWN', {
    message: `No event class of this application is named ${whereOf(recorded)}. Register the aggregate that handles it, or deploy the newer program.`,
    details: {
      type: recorded.type,
      position: recorded.position,
      streamId: recorded.streamId,
      version: recorded.version,
    },
  })
}

function undecodable(recorded: Named, reason: string, cause?: unknown): NarrativeError {
  return new NarrativeError('EVENT_UNDECODABLE', {
    message: `Event ${whereOf(recorded)} cannot be decoded: ${reason}${cause instanceof Error ? ` (${cause.message})` : ''}.`,
    details: {
      type: recorded.type,
      position: recorded.position,
      streamId: recorded.streamId,
      version: recorded.version,
    },
    cause,
  })
}
