// One connection to one broker: opened, authenticated, and then exactly as often written to as it is asked to.
import { NarrativeError } from '@narrative/core'
import { orAborted } from './attempts.js'
import { formatAddress } from './broker-address.js'
import { ConnectionFailure, ProtocolFailure } from './broker-failure.js'
import type { Broker, Connection, ConnectionSettings, ControlApi, KafkajsInternals } from './kafkajs-internals.js'

/** A request in its frame: a correlation id is filled in at byte 8. */
export interface FramedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly frame: Buffer
  /** Milliseconds from the write to the answer. */
  readonly timeout: number
}

/** A connection that is usable until {@link BrokerLink.usable} turns false; then open another. */
export class BrokerLink {
  readonly #connection: Connection
  #closed = false

  private constructor(
    readonly address: string,
    private readonly kafkajs: KafkajsInternals,
    private readonly broker: Broker,
  ) {
    this.#connection = broker.connectionPool.pool[0]!
  }

  /**
   * Connects, learns the broker's api versions and authenticates, all within the connection timeout.
   *
   * @throws ConnectionFailure when the broker cannot be reached
   * @throws NarrativeError `BROKER_REFUSED` when it refuses the credentials or is too old
   */
  static async open(kafkajs: KafkajsInternals, settings: ConnectionSettings, signal: AbortSignal): Promise<BrokerLink> {
    const address = formatAddress(settings)
    const link = new BrokerLink(address, kafkajs, kafkajs.createBroker(settings))
    const late = new ConnectionFailure(false, `${address} did not answer within ${settings.connectionTimeout} ms`)
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, settings.connectionTimeout, late)
    })
    try {
      await orAborted(Promise.race([link.broker.connect(), deadline]), [signal])
      link.#requireVersion('Produce', 0, 8)
      link.#requireVersion('Fetch', 1, 11)
      link.#requireVersion('Metadata', 3, 7)
      return link
    } catch (error) {
      // kafkajs calls every failure during the exchange one of authentication, a lost connection too.
      const answered = link.#connection.isConnected()
      link.close(late)
      throw openingFailure(error as Error, address, settings, answered)
    } finally {
      clearTimeout(timer)
    }
  }

  /** False once the connection was lost or closed, or its SASL session is about to end: a new one takes its place. */
  get usable(): boolean {
    const connection = this.#connection
    if (this.#closed || !connection.isConnected()) return false
    return connection.sasl === null || connection.isAuthenticated()
  }

  /**
   * Writes a frame once and resolves with the answer's body.
   *
   * @throws ConnectionFailure which knows whether the frame was written
   */
  send({ frame, apiKey, apiName, apiVersion, timeout }: FramedRequest): Promise<Buffer> {
    const connection = this.#connection
    return new Promise((resolve, reject) => {
      let written = false
      const fail = (error: Error): void => {
        reject(new ConnectionFailure(written, `${apiName} to ${this.address} failed: ${error.message}`, error))
        // A connection that swallowed one request will swallow the next; the broker answers in order.
        if (error.name === 'KafkaJSRequestTimeoutError') this.close(error)
      }
      if (!this.usable) return fail(new Error('the connection is closed'))
      const correlationId = connection.nextCorrelationId()
      frame.writeInt32BE(correlationId, 8)
      const sendRequest = (): void => {
        written = true
        connection.socket!.write(frame)
      }
      const entry = { apiKey, apiName, apiVersion, correlationId, reject: fail, resolve: onAnswer }
      function onAnswer({ payload }: { payload: Buffer }): void {
        resolve(payload)
      }
      try {
        connection.requestQueue.push({ entry, expectResponse: true, requestTimeout: timeout, sendRequest })
      } catch (error) {
        fail(error as Error)
      }
    })
  }

  /** Sends one of the rare requests; the answer is decoded, its error codes are the caller's to read. */
  async control(api: ControlApi, input: object): Promise<any> {
    try {
      return await this.kafkajs.control(this.broker, api, input)
    } catch (error) {
      throw asFailure(error as Error, `${api} to ${this.address}`, true)
    }
  }

  /** Obeys a quota: nothing more is written for so long. */
  throttle(milliseconds: number): void {
    if (milliseconds > 0) this.#connection.requestQueue.maybeThrottle(milliseconds)
  }

  /** Closes it when the last answer is in: it is being replaced. */
  retire(): void {
    this.#connection.disconnect().catch(() => {}) // whatever it says, the link is used no more
  }

  /** Fails everything in flight and destroys the socket. */
  close(reason: Error): void {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.broker.connectionPool.pool) {
      connection.requestQueue.rejectAll(reason)
      connection.disconnect().catch(() => {}) // destroyed in the next line whatever it says
      connection.socket?.destroy()
    }
  }

  #requireVersion(api: string, key: number, version: number): void {
    const range = this.broker.versions[key]
    if (range && range.minVersion <= version && range.maxVersion >= version) return
    const offered = range ? `${range.minVersion} to ${range.maxVersion}` : 'none'
    const message = `The broker ${this.address} does not speak ${api} version ${version} (it offers ${offered}): Kafka 2.4 or newer is needed.`
    throw new NarrativeError('BROKER_REFUSED', { message, details: { address: this.address, api, version } })
  }
}

/** What kafkajs threw, in our terms. */
function asFailure(error: Error & { code?: unknown; type?: string }, what: string, written: boolean): Error {
  if (error.name === 'KafkaJSProtocolError')
    return new ProtocolFailure(Number(error.code), String(error.type), error.message)
  // A name that resolves to several addresses fails with a code and no words.
  const words = error.message.replace(/^Connection error: /, '')
  const reason = error.code === undefined || words.includes(String(error.code)) ? words : `${words}${error.code}`
  return new ConnectionFailure(written, `${what} failed: ${reason}`, error)
}

/** Error codes by which a broker refuses a mechanism (33), its credentials (58) or the state of the exchange (34). */
const refusals = new Set<unknown>([33, 34, 58])

function openingFailure(error: Error, address: string, { sasl }: ConnectionSettings, answered: boolean): Error {
  if (error instanceof NarrativeError || error instanceof ConnectionFailure) return error
  const refused = error.name === 'KafkaJSSASLAuthenticationError' || refusals.has((error as { code?: unknown }).code)
  if (!refused || !answered) {
    return asFailure(error, `Connecting to ${address}`, false)
  }
  const mechanism = sasl?.mechanism ?? 'none'
  const username = sasl && 'username' in sasl ? sasl.username : undefined
  const who = username === undefined ? '' : ` for user '${username}'`
  const message = `The broker ${address} refused SASL ${mechanism}${who}: ${error.message}. Check the mechanism and the credentials.`
  return new NarrativeError('BROKER_REFUSED', { message, details: { address, mechanism, username }, cause: error })
}
