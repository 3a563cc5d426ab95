// Users' event objects to stored bytes and back, upcasting on the way back.
import type { NewEvent, RecordedEvent } from '../event-store/recorded-event.js'
import type { EventType } from './event-type.js'

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
}
