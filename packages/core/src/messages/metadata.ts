// What travels with every command and event beside its data.

/** Ties one message to the story it belongs to. */
export interface MessageMetadata {
  /** The id of the command that caused an event; a command sent twice under one id acts once. */
  readonly commandId: string
  /** The same for every message of one story. */
  readonly correlationId: string
  /** The id of the message that directly caused this one. */
  readonly causationId: string
  /** W3C trace context. */
  readonly traceparent?: string
}
