// Users' event objects to stored bytes and back, upcasting on the way back.
import type { NewEvent, RecordedEvent } from '../event-store/recorded-event.js'
import type { EventType } from './event-type.js'

/** An event inside a message that is JSON itself: what would be stored, without a second coat of JSON. */
export interface EventInJson extends Pick<NewEvent, 'type' | 'schemaVersion'> {
  readonly data: unknown
}

/** Which event it is, for errors. */
export type EventPlace = Pick<RecordedEvent, 'streamId' | 'version' | 'position'>

/** Encodes and decodes every event an application knows. */
export interface EventCodec {
  /** The names it can decode. */
  readonly types: ReadonlyMap<string, EventType>
  /**
   * @throws NarrativeError `EVENT_FOREIGN`, `EVENT_UNENCODABLE`
   */
  encode(event: object): NewEvent
  /**
   * Revives a stored event as today's class, upcast to today's version.
   * @throws NarrativeError `EVENT_UNKNOWN`, `EVENT_UNDECODABLE`; the message names topic, partition and offset
   */
  decode(recorded: RecordedEvent): object
  /**
   * The plain data of an event that was encoded or decoded before: whether it can be stored is not asked again.
   * @throws NarrativeError `EVENT_FOREIGN`
   */
  toJson(event: object): EventInJson
  /**
   * Revives what {@link EventCodec.toJson} gave, after JSON, as {@link EventCodec.decode} does.
   * @throws NarrativeError `EVENT_UNKNOWN`, `EVENT_UNDECODABLE`
   */
  fromJson(event: EventInJson, place: EventPlace): object
}
