// What an error code in a Produce answer says about the batch: certainly not in the log, or unknown.
//
// A wrong "not done" is an event lost or doubled, so a code is on this list only when every broker raises it before
// anything is appended. The rest is unknown, and the log decides. The codes people expect here and do not find:
//   NOT_LEADER_OR_FOLLOWER (6), KAFKA_STORAGE_ERROR (56): also raised when leadership is lost while an appended batch
//     waits for its replicas; the new leader may have it.
//   NOT_ENOUGH_REPLICAS_AFTER_APPEND (20), REQUEST_TIMED_OUT (7), NETWORK_EXCEPTION (13): appended, perhaps to be lost.
//   OUT_OF_ORDER_SEQUENCE (45), DUPLICATE_SEQUENCE (46), UNKNOWN_PRODUCER_ID (59): the broker remembers another history
//     than the sender; only reading the log settles which.
import type { ProduceOutcome } from './kafka-driver.js'

type Reason = Extract<ProduceOutcome, { outcome: 'not-done' }>['reason']

const notDone = new Map<number, Reason>([
  [47, 'fenced'], // INVALID_PRODUCER_EPOCH
  [90, 'fenced'], // PRODUCER_FENCED
  [10, 'too-large'], // MESSAGE_TOO_LARGE
  [18, 'too-large'], // RECORD_LIST_TOO_LARGE
  [3, 'retry'], // UNKNOWN_TOPIC_OR_PARTITION: not here yet; after an append it can only mean that the topic was deleted
  [19, 'retry'], // NOT_ENOUGH_REPLICAS: counted before the append (20 is the one after it)
  [2, 'refused'], // CORRUPT_MESSAGE
  [17, 'refused'], // INVALID_TOPIC_EXCEPTION
  [21, 'refused'], // INVALID_REQUIRED_ACKS
  [29, 'refused'], // TOPIC_AUTHORIZATION_FAILED
  [31, 'refused'], // CLUSTER_AUTHORIZATION_FAILED
  [32, 'refused'], // INVALID_TIMESTAMP
  [35, 'refused'], // UNSUPPORTED_VERSION
  [42, 'refused'], // INVALID_REQUEST
  [43, 'refused'], // UNSUPPORTED_FOR_MESSAGE_FORMAT
  [44, 'refused'], // POLICY_VIOLATION
  [53, 'refused'], // TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  [76, 'refused'], // UNSUPPORTED_COMPRESSION_TYPE
  [87, 'refused'], // INVALID_RECORD
])

/** The outcome of a batch that was answered with a code other than 0. */
export function failedOutcome(code: number, error: Error): ProduceOutcome {
  const reason = notDone.get(code)
  return reason === undefined ? { outcome: 'unknown', error } : { outcome: 'not-done', reason, error }
}

/** Codes after which the leader is looked up anew. */
export function doubtsLeader(code: number): boolean {
  return code === 3 || code === 6 || code === 56
}
