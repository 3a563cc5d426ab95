/**
 * Every code a Narrative error can carry, with what it means and what to do.
 *
 * The one table: `docs/errors.md` lists the same codes and a test keeps the two equal.
 * A retryable error may succeed when the very same call, with the same command id, is made again.
 */
export const errorCodes = {
  STARTUP_FAULTS: { retryable: false, meaning: 'The application cannot start; every fault found is listed.' },
  COMMAND_INVALID: { retryable: false, meaning: 'A command violates its own rules; every violation is listed.' },
  COMMAND_UNKNOWN: { retryable: false, meaning: 'No aggregate of this application handles this command.' },
  COMMAND_EXPIRED: { retryable: false, meaning: 'The deadline of a command passed before its events were appended.' },
  COMMAND_ABORTED: { retryable: false, meaning: 'The caller aborted a command before its events were appended.' },
  VERSION_CONFLICT: { retryable: true, meaning: 'The stream is not at the version the caller expected.' },
  QUERY_UNKNOWN: { retryable: false, meaning: 'No query handler of this application answers this query.' },
  ANSWER_NOT_DATA: { retryable: false, meaning: 'The answer to a live query holds something that is not data.' },
  READ_MODEL_BEHIND: { retryable: true, meaning: 'A read model did not reach the asked position in time.' },
  READ_MODEL_UNFOLLOWED: {
    retryable: false,
    meaning: 'Nobody keeps the read model up to date that a query would wait for.',
  },
  EVENT_UNKNOWN: { retryable: false, meaning: 'A stored event has a name that no event class claims.' },
  EVENT_UNDECODABLE: { retryable: false, meaning: 'The data of a stored event cannot be decoded or upcast.' },
  EVENT_UNENCODABLE: { retryable: false, meaning: 'An event holds a value that would not survive storage.' },
  EVENT_FOREIGN: {
    retryable: false,
    meaning: 'A command handler returned something that is not one of its aggregate’s events.',
  },
  STREAM_ID_INVALID: { retryable: false, meaning: 'An aggregate id is missing or cannot be part of a stream id.' },
  POSITION_INVALID: { retryable: false, meaning: 'A position token is not one that this application issued.' },
  OUTCOME_UNKNOWN: {
    retryable: true,
    meaning: 'An append was sent and its outcome could not be learned; repeat it with the same command id.',
  },
  APPEND_TOO_LARGE: {
    retryable: false,
    meaning: 'The events of one append do not fit into one record batch of the topic.',
  },
  NOT_OWNER: { retryable: true, meaning: 'This instance does not own the partition of the stream (any more).' },
  INSTANCE_REPLACED: {
    retryable: false,
    meaning: 'Another process took over the instance id of this one.',
  },
  STORE_CLOSED: { retryable: false, meaning: 'The event store was closed.' },
  STORE_BUSY: { retryable: true, meaning: 'The queue of a partition is full.' },
  BROKER_UNREACHABLE: { retryable: true, meaning: 'No Kafka broker could be reached in time.' },
  BROKER_REFUSED: {
    retryable: false,
    meaning: 'Kafka refused a request for good: credentials, authorisation or an unsupported version.',
  },
  TOPIC_REFUSED: { retryable: false, meaning: 'An events topic has settings that would lose or reorder events.' },
  TOPIC_INVALID: { retryable: false, meaning: 'A topic name is not legal in Kafka.' },
  LOG_CORRUPT: { retryable: false, meaning: 'A record in an events topic is not one that Narrative wrote.' },
  LOG_TRUNCATED: { retryable: false, meaning: 'Offsets that should be in the log are not there.' },
  DIRECTORY_IN_USE: { retryable: false, meaning: 'Another process has this data directory open.' },
  DIRECTORY_INVALID: { retryable: false, meaning: 'A data directory holds something else than was to be opened.' },
  DISK_FAILED: { retryable: true, meaning: 'A data directory could not be read or written; nothing was acknowledged.' },
  PROJECTION_UNKNOWN: { retryable: false, meaning: 'No projection of this application has this name.' },
  EVENT_PARKED: {
    retryable: false,
    meaning: 'A read model does not contain the asked event, because it is among its dead letters.',
  },
  PROJECTION_STOPPED: { retryable: false, meaning: 'A projection stopped at an event it could not apply.' },
  CHECKPOINT_MOVED: {
    retryable: true,
    meaning: 'Another worker moved the checkpoint of a projection; this worker’s batch was rolled back.',
  },
  REBUILD_CANCELLED: { retryable: false, meaning: 'Somebody cancelled the rebuild of a projection.' },
  NOTHING_KEPT: { retryable: false, meaning: 'There is no older table of this projection to switch back to.' },
  REBUILD_UNDER_WAY: { retryable: true, meaning: 'Somebody else is rebuilding this projection with other tables.' },
  POSTGRES_UNREACHABLE: {
    retryable: true,
    meaning: 'Postgres, where read models are kept, could not be reached or did not carry on.',
  },
  SERVICE_MISSING: {
    retryable: false,
    meaning: 'A service needed by tests (Kafka, Postgres) could not be started; what was tried is listed.',
  },
} as const satisfies Record<string, { readonly retryable: boolean; readonly meaning: string }>

/** A code from {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes
