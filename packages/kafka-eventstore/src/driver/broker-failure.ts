// The two ways a request fails below the port, and which of them another attempt may cure.

/** The connection failed: it could not be opened, was lost, or no answer came in time. */
export class ConnectionFailure extends Error {
  /**
   * @param written whether the request's bytes were handed to the socket. False means that no broker can have seen it.
   */
  constructor(
    readonly written: boolean,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
    this.name = 'ConnectionFailure'
  }
}

/** The broker answered with an error code of the Kafka protocol. */
export class ProtocolFailure extends Error {
  constructor(
    readonly code: number,
    readonly type: string,
    message: string,
  ) {
    super(`${type} (${code}): ${message}`)
    this.name = 'ProtocolFailure'
  }
}

/** Codes after which a read or a claim is tried again with fresh metadata. Not for produce: see produce-outcome.ts. */
const passing = new Set([
  3, // UNKNOWN_TOPIC_OR_PARTITION: this broker does not know of it yet
  5, // LEADER_NOT_AVAILABLE
  6, // NOT_LEADER_OR_FOLLOWER
  7, // REQUEST_TIMED_OUT
  8, // BROKER_NOT_AVAILABLE
  9, // REPLICA_NOT_AVAILABLE
  13, // NETWORK_EXCEPTION
  14, // COORDINATOR_LOAD_IN_PROGRESS
  15, // COORDINATOR_NOT_AVAILABLE
  16, // NOT_COORDINATOR
  19, // NOT_ENOUGH_REPLICAS
  41, // NOT_CONTROLLER
  51, // CONCURRENT_TRANSACTIONS: an earlier InitProducerId of this id is still being written
  56, // KAFKA_STORAGE_ERROR: the broker moves its leaderships away
  74, // FENCED_LEADER_EPOCH
  75, // UNKNOWN_LEADER_EPOCH
  78, // OFFSET_NOT_AVAILABLE: a new leader does not know its high watermark yet
])

/** True when the same request may go through in a moment. */
export function isPassing(error: unknown): boolean {
  return error instanceof ConnectionFailure || (error instanceof ProtocolFailure && passing.has(error.code))
}
