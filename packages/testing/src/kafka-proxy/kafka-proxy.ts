// A TCP proxy that understands Kafka's frames: loses, delays and cuts exactly what a test names.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import {
  apiKeyOf,
  correlationOfAnswer,
  correlationOfRequest,
  type KafkaApi,
  KafkaFrames,
  kafkaApis,
} from './kafka-frames.js'
import { type Direction, type ProxyRule, ProxyRules, type Verdict } from './proxy-rules.js'

/** A broker's address as the proxy reaches it. */
export interface ProxyTarget {
  readonly host?: string
  readonly port: number
}

/** Options of {@link kafkaProxy}. */
export interface KafkaProxyOptions {
  /** The broker; may be given later with {@link KafkaProxy.forwardTo}. */
  readonly target?: ProxyTarget
  /** The port to listen on, on 127.0.0.1. Default: a free one. */
  readonly listen?: number
}

const host = '127.0.0.1'

/**
 * Starts a proxy. Plain TCP only (no TLS, no raw SASL exchange). For clients to stay with the proxy, the broker must
 * advertise its port.
 *
 * @example
 * ```ts
 * const proxy = await kafkaProxy()
 * const kafka = await startKafka({ proxyPort: proxy.port })
 * proxy.forwardTo({ port: kafka.proxyTarget! })
 * const lost = proxy.on('Produce').dropResponse({ nth: 2, cut: true })
 * // … two sends, of which the second is not answered
 * await lost.happened
 * ```
 */
export async function kafkaProxy({ listen = 0, target }: KafkaProxyOptions = {}): Promise<KafkaProxy> {
  const server = createServer({ noDelay: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen, host, resolve)
  })
  const proxy = new KafkaProxy(server)
  if (target) proxy.forwardTo(target)
  return proxy
}

/** A running proxy. */
export class KafkaProxy {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number
  readonly #rules = new Map<number, ProxyRules>()
  readonly #counts = new Map<number, number>()
  readonly #sockets = new Set<Socket>()
  readonly #everything = new ProxyRules()
  #target: ProxyTarget | undefined

  /** @internal */
  constructor(private readonly server: Server) {
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#join(client))
  }

  /** Connections made from now on go to this broker. */
  forwardTo(target: ProxyTarget): void {
    this.#target = target
  }

  /** What to do to requests of this kind and to their answers. */
  on(api: KafkaApi): ProxyRules {
    return this.#rulesFor(kafkaApis[api])
  }

  /** How many requests of this kind came so far, lost ones included. */
  seen(api: KafkaApi): number {
    return this.#counts.get(kafkaApis[api]) ?? 0
  }

  /** Swallows everything in a direction (or both), on all connections. What fell into it is lost. */
  blackHole(direction: Direction | 'both' = 'both'): ProxyRule {
    return this.#everything.swallow(direction)
  }

  /** Cuts all connections; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.cut()
    await closed
  }

  #rulesFor(apiKey: number): ProxyRules {
    const known = this.#rules.get(apiKey)
    if (known) return known
    const rules = new ProxyRules()
    this.#rules.set(apiKey, rules)
    return rules
  }

  #join(client: Socket): void {
    if (!this.#target) {
      client.destroy()
      return
    }
    const broker = connect({ host, ...this.#target, noDelay: true })
    const asked = new Map<number, number>() // api key by correlation id
    /** The broker's side of the connection outlives the client's. */
    let detained: { readonly correlation: number; readonly delivered: () => void } | undefined
    const cut = () => {
      client.destroy()
      if (detained === undefined) broker.destroy()
    }
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        cut()
      })
    }
    const toBroker = new Lane(broker, cut)
    const toClient = new Lane(client, cut)
    onFrames(client, (request) => {
      const apiKey = apiKeyOf(request)
      asked.set(correlationOfRequest(request), apiKey)
      this.#counts.set(apiKey, (this.#counts.get(apiKey) ?? 0) + 1)
      const verdict = this.#judge('request', apiKey)
      if (verdict.do === 'detain') {
        detained = { correlation: correlationOfRequest(request), delivered: verdict.delivered }
        client.destroy()
        void verdict.until.then(() => broker.write(request))
      } else toBroker.carry(request, verdict)
    })
    onFrames(broker, (answer) => {
      const correlation = correlationOfAnswer(answer)
      if (detained !== undefined) {
        if (correlation !== detained.correlation) return
        detained.delivered()
        broker.destroy()
        return
      }
      const apiKey = asked.get(correlation) ?? -1
      asked.delete(correlation)
      toClient.carry(answer, this.#judge('answer', apiKey))
    })
  }

  #judge(direction: Direction, apiKey: number): Verdict {
    const verdict = this.#everything.judge(direction)
    return verdict.do === 'pass' ? this.#rulesFor(apiKey).judge(direction) : verdict
  }
}

/** One direction of a connection: a delayed frame holds up those behind it, as on a wire. */
class Lane {
  #last: Promise<void> | undefined

  constructor(
    private readonly socket: Socket,
    private readonly cut: () => void,
  ) {}

  carry(frame: Buffer, verdict: Verdict): void {
    if (verdict.do === 'drop') {
      if (verdict.cut) this.cut()
    } else if (verdict.do === 'delay' || this.#last)
      this.#queue(frame, verdict.do === 'delay' ? verdict.milliseconds : 0)
    else this.socket.write(frame)
  }

  #queue(frame: Buffer, milliseconds: number): void {
    const due = new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
    const turn = Promise.all([this.#last, due]).then(() => {
      this.socket.write(frame, () => {})
      if (this.#last === turn) this.#last = undefined
    })
    this.#last = turn
  }
}

function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  const frames = new KafkaFrames()
  socket.on('data', (chunk: Buffer) => {
    for (const frame of frames.push(chunk)) take(frame)
  })
}
