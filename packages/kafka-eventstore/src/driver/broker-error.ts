// Failures below the port, told as Narrative errors: what happened, to which thing, and what to do.
import { NarrativeError } from '@narrative/core'
import { isPassing, ProtocolFailure } from './broker-failure.js'

const authorization = new Set([29, 30, 31, 53, 58])
const invalidTopic = 17

/**
 * @param error what the last attempt threw
 * @param what the operation, as in "Reading orders-3"
 */
export function brokerError(error: unknown, what: string, brokers: readonly string[]): Error {
  if (!(error instanceof ProtocolFailure)) {
    if (!(error instanceof Error) || error.name !== 'ConnectionFailure') return error as Error
    return unreachable(error, what, brokers)
  }
  const details = { type: error.type, code: error.code }
  if (error.code === invalidTopic) {
    return new NarrativeError('TOPIC_INVALID', { message: `${what} failed: ${error.message}`, details, cause: error })
  }
  if (isPassing(error)) {
    const message = `${what} did not succeed in time: ${error.message}. The cluster may be starting or electing leaders; try again.`
    return new NarrativeError('BROKER_UNREACHABLE', { message, details, cause: error })
  }
  const hint = authorization.has(error.code) ? ' Give this user the rights (ACLs) it needs.' : ''
  const message = `${what} was refused by Kafka: ${error.message}.${hint}`
  return new NarrativeError('BROKER_REFUSED', { message, details, cause: error })
}

function unreachable(error: Error, what: string, brokers: readonly string[]): NarrativeError {
  const message =
    `${what} failed: ${error.message}. Brokers given: ${brokers.join(', ')}. Check that Kafka is running and listens ` +
    'there, that its advertised.listeners can be reached from here, and that the TLS and SASL settings fit the listener.'
  return new NarrativeError('BROKER_UNREACHABLE', { message, details: { brokers }, cause: error })
}
