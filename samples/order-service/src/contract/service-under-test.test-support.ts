// The service as its contract sees it: requests in, answers out.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Application } from '@narrative/core'
import type { FastifyInstance } from 'fastify'
import { createOrderApplication } from '../application.js'
import { createServer } from '../http/create-server.js'
import type { Backing } from '../settings.js'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: any
}

type Headers = Readonly<Record<string, string>>

export class ServiceUnderTest {
  private constructor(
    readonly server: FastifyInstance,
    readonly app: Application,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(backing: Backing): Promise<ServiceUnderTest> {
    const { app } = await createOrderApplication(backing)
    const server = createServer(app, { readTimeout: 1_000 })
    return new ServiceUnderTest(server, app, async () => {
      await server.close()
      await app.stop()
    })
  }

  get(url: string, headers: Headers = {}): Promise<Answer> {
    return this.send('GET', url, undefined, headers)
  }

  /** @param body a string is sent as it is, anything else as JSON */
  post(url: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    return this.send('POST', url, payload, { 'content-type': 'application/json', ...headers })
  }

  place(order: object = anOrder(), headers: Headers = {}): Promise<Answer> {
    return this.post('/v1/orders', order, headers)
  }

  cancel(orderId: string, headers: Headers = {}, body: unknown = { reason: 'changed my mind' }): Promise<Answer> {
    return this.post(`/v1/orders/${orderId}/cancel`, body, headers)
  }

  /** Opens a stream of answers over a connection of its own. */
  async live(path: string, headers: Headers = {}): Promise<{ next(): Promise<any>; leave(): Promise<void> }> {
    if (!this.server.server.listening) await this.server.listen({ port: 0, host: 'localhost' })
    const { port } = this.server.server.address() as AddressInfo
    const response = await fetch(`http://localhost:${port}${path}`, {
      headers: { accept: 'text/event-stream', ...headers },
    })
    const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    return {
      async next() {
        while (!text.includes('\n\n')) text += (await chunks.read()).value ?? assert.fail('The stream ended.')
        const [event, ...rest] = text.split('\n\n')
        text = rest.join('\n\n')
        return JSON.parse(event!.replace(/^data: /, ''))
      },
      leave: () => chunks.cancel(),
    }
  }

  private async send(
    method: 'GET' | 'POST',
    url: string,
    payload: string | undefined,
    headers: Headers,
  ): Promise<Answer> {
    const { statusCode, headers: answered, body } = await this.server.inject({ method, url, payload, headers })
    const isJson = /json/.test(String(answered['content-type']))
    return { status: statusCode, headers: answered as Answer['headers'], body: isJson ? JSON.parse(body) : body }
  }
}

/** A body that is fine, of a customer nobody else has. */
export function anOrder() {
  return {
    customerId: `customer ${randomUUID()}`,
    lines: [
      { productId: 'tea', quantity: 2, unitPrice: 450 },
      { productId: 'cup', quantity: 1, unitPrice: 1200 },
    ],
  }
}

/** What `after` takes: the header that makes a query wait. */
export function after(answer: Answer): Headers {
  return { 'narrative-after': answer.headers['narrative-position'] ?? 'no position' }
}

/** An answer without what belongs to its moment. */
export function lasting({ status, headers: { date: _, ...headers }, body }: Answer): Answer {
  return { status, headers, body }
}
