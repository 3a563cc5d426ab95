// Everything private of kafkajs that the driver stands on, in one place, for exactly one version.
//
// kafkajs has no public call for an idempotent batch under a transactional id's epoch, nor for a fetch without a
// group. Its connection (sockets, TLS, SASL, request queue) and its codecs for rare requests are sound; they are used
// here. Its cluster, producer and consumer are not: they queue, repeat and back off where a produce must be sent once.
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { type Logger, NarrativeError } from '@narrative/core'
import type { KafkaConfig } from 'kafkajs'

const supportedVersion = '2.2.4'
const require = createRequire(import.meta.url)

/** How to reach a broker. */
export interface ConnectionSettings {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl: KafkaConfig['ssl']
  readonly sasl: KafkaConfig['sasl']
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly logger: Logger
}

/** Ranges of versions by api key, as the broker states them. */
export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>

/** What the request queue calls back. `sendRequest` runs at the moment the bytes go to the socket, or never. */
export interface QueuedRequest {
  readonly entry: {
    readonly apiKey: number
    readonly apiName: string
    readonly apiVersion: number
    readonly correlationId: number
    resolve(answer: { readonly payload: Buffer }): void
    reject(error: Error): void
  }
  readonly expectResponse: true
  readonly requestTimeout: number
  sendRequest(): void
}

/** kafkajs/src/network/requestQueue */
export interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly inflight: ReadonlyMap<number, RequestInFlight>
  readonly requestTimeout: number
  requestTimeoutIntervalId: NodeJS.Timeout | undefined
  isConnected(): boolean
  push(request: QueuedRequest): void
  rejectAll(error: Error): void
  throttleCheckTimeoutId: NodeJS.Timeout | null
  maybeThrottle(milliseconds: number | null): void
  canSendSocketRequestImmediately(): boolean
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
  /** Ends its timers. */
  destroy(): void
}

/** kafkajs/src/network/requestQueue/socketRequest */
export interface RequestInFlight {
  readonly requestTimeout: number
  timeoutRequest(): void
}

/** kafkajs/src/network/connection */
export interface Connection {
  readonly socket?: Socket
  readonly sasl: object | null
  readonly requestQueue: RequestQueue
  isConnected(): boolean
  isAuthenticated(): boolean
  nextCorrelationId(): number
  send(request: {
    request: object
    response: object
    requestTimeout?: number | null
    logResponseError?: boolean
  }): Promise<any>
  disconnect(): Promise<unknown>
}

/** kafkajs/src/broker: connects, asks for api versions and authenticates. */
export interface Broker {
  readonly versions: ApiVersions
  readonly connectionPool: { readonly pool: readonly Connection[] }
  lookupRequest(
    apiKey: number,
    definition: object,
  ): (input: object) => { request: object; response: any; requestTimeout?: number }
  connect(): Promise<void>
}

/** The rare requests, encoded and decoded by kafkajs. */
export type ControlApi =
  | 'ListOffsets'
  | 'GroupCoordinator'
  | 'CreateTopics'
  | 'InitProducerId'
  | 'DescribeConfigs'
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetCommit'
  | 'OffsetFetch'

/** A protocol error by its code. */
export interface ProtocolErrorText {
  readonly type: string
  readonly message: string
}

/** The private parts, loaded and bound. */
export interface KafkajsInternals {
  /** A broker with one connection in use: `connectionPool.pool[0]`. */
  createBroker(settings: ConnectionSettings): Broker
  /** Sends a rare request and returns its decoded answer, error codes and all. */
  control(broker: Broker, api: ControlApi, input: object): Promise<any>
  describeError(code: number): ProtocolErrorText
}

/**
 * Loads the private modules of kafkajs.
 *
 * @throws NarrativeError `BROKER_REFUSED` when the installed kafkajs is not the version these parts were read from
 */
export function loadKafkajs(): KafkajsInternals {
  requireSupported((require('kafkajs/package.json') as { version: string }).version)
  const BrokerClass = require('kafkajs/src/broker')
  const ConnectionPool = require('kafkajs/src/network/connectionPool')
  const createSocket = require('kafkajs/src/network/socketFactory')()
  const { requests } = require('kafkajs/src/protocol/requests')
  const apiKeys = require('kafkajs/src/protocol/requests/apiKeys')
  const { createErrorFromCode } = require('kafkajs/src/protocol/error')

  // Small requests wait for nothing: without this, Nagle's algorithm holds the second of two back until an ACK.
  const socketFactory = (options: object): Socket => (createSocket(options) as Socket).setNoDelay(true)

  return {
    createBroker({ logger, sasl, ...settings }) {
      const log = kafkajsLogger(logger)
      const options = {
        ...settings,
        // kafkajs stores the authenticator in the object it is given, with the credentials of its first use.
        sasl: sasl === undefined ? null : { ...sasl },
        logger: log,
        socketFactory,
        enforceRequestTimeout: true,
      }
      const connectionPool = new ConnectionPool(options)
      for (const { requestQueue } of connectionPool.pool as Connection[]) {
        holdBackBySteadyClock(requestQueue)
        timeBySteadyClock(requestQueue)
      }
      return new BrokerClass({ connectionPool, logger: log })
    },
    async control(broker, api, input) {
      const { request, response, requestTimeout } = broker.lookupRequest(apiKeys[api], requests[api])(input)
      const connection = broker.connectionPool.pool[0]!
      const undecided = { decode: response.decode, parse: (decoded: unknown) => decoded }
      return connection.send({ request, response: undecided, requestTimeout, logResponseError: false })
    },
    describeError: (code) => createErrorFromCode(code) as ProtocolErrorText,
  }
}

/** Throws unless this is the version of kafkajs whose private parts are used here. */
export function requireSupported(version: string): void {
  if (version === supportedVersion) return
  const message =
    `kafkajs ${version} is installed, but this driver uses private parts of kafkajs ${supportedVersion}: ` +
    `pin kafkajs to exactly ${supportedVersion}.`
  throw new NarrativeError('BROKER_REFUSED', { message, details: { installed: version, supported: supportedVersion } })
}

/**
 * A queue of kafkajs 2.2.4 that is held back by a quota waits for a time of the wall clock: set back by hours, it waits for
 * hours, and what waits in it never times out. It also looks for pending requests every millisecond for ever.
 */
function holdBackBySteadyClock(queue: RequestQueue): void {
  let heldUntil = 0
  queue.maybeThrottle = (milliseconds) => {
    heldUntil = Math.max(heldUntil, performance.now() + (milliseconds ?? 0))
  }
  queue.canSendSocketRequestImmediately = () => performance.now() >= heldUntil
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId) return
    const check = () => {
      queue.throttleCheckTimeoutId = null
      queue.checkPendingRequests()
    }
    queue.throttleCheckTimeoutId = setTimeout(check, Math.max(1, heldUntil - performance.now()))
  }
}

/**
 * kafkajs 2.2.4 tells by the wall clock how long a request has waited: when that is set back by hours, a request whose
 * answer was lost waits for hours, and an instance with it. The clock of `performance.now()` is not set by anybody.
 */
function timeBySteadyClock(queue: RequestQueue): void {
  queue.scheduleRequestTimeoutCheck = () => {
    queue.destroy()
    const seen = new WeakMap<RequestInFlight, number>()
    const check = () => {
      const now = performance.now()
      for (const request of queue.inflight.values()) {
        const since = seen.get(request)
        if (since === undefined) seen.set(request, now)
        else if (now - since > request.requestTimeout) request.timeoutRequest()
      }
      if (!queue.isConnected()) queue.destroy()
    }
    queue.requestTimeoutIntervalId = setInterval(check, Math.min(queue.requestTimeout, 100))
  }
}

/** What kafkajs reports is either thrown as well, or detail: both are `debug` for us. Its own debug lines are dropped. */
function kafkajsLogger(logger: Logger): object {
  const debug = (message: string, facts: object = {}) => logger.debug(facts, message)
  const log = { error: debug, warn: debug, info: debug, debug: () => {}, namespace: () => log, setLogLevel: () => {} }
  return log
}
