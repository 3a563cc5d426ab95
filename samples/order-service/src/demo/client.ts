// The other side of the HTTP: sends requests with fetch, and shows request and answer.

import { bold, dim, green, red, yellow } from '../terminal/paint.js'
import { short } from './event-line.js'
import type { Narrator } from './narrator.js'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

type RequestHeaders = Readonly<Record<string, string>>

export class Client {
  constructor(
    readonly url: string,
    private readonly narrator: Narrator,
  ) {}

  get(path: string, headers: RequestHeaders = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers)
  }

  post(path: string, body: unknown, headers: RequestHeaders = {}): Promise<Answer> {
    return this.send('POST', path, body, headers)
  }

  /** Sends and shows; waits until what it led to was told. */
  async show(method: 'GET' | 'POST', path: string, body?: unknown, headers: RequestHeaders = {}): Promise<Answer> {
    const given = Object.entries(headers).map(([name, value]) => dim(`${name}: ${value}`))
    console.log(`  → ${bold(`${method} ${shortened(path)}`)}  ${given.join('  ')}`.trimEnd())
    const answer = await this.send(method, path, body, headers)
    const position = answer.headers.get('narrative-position')
    if (position !== null) await this.narrator.hasTold(position)
    console.log(`  ← ${statusOf(answer)}  ${factsOf(answer).join('  ')}`.trimEnd())
    return answer
  }

  private async send(method: string, path: string, body: unknown, headers: RequestHeaders): Promise<Answer> {
    const json: RequestHeaders = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(this.url + path, {
      method,
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
}

function statusOf({ status }: Answer): string {
  const paint = status < 300 ? green : status < 500 ? yellow : red
  return paint(bold(String(status)))
}

/** What is worth seeing of an answer: of a problem its sentence, else what it holds and the headers that clients go on with. */
function factsOf({ status, headers, body }: Answer): string[] {
  if (status >= 400) return [shortened(body.detail)]
  const { orders, events, status: orderStatus } = body
  const etag = headers.get('etag')
  const position = headers.get('narrative-position')
  return [
    ...(orders === undefined ? [] : [`${orders.length} orders`]),
    ...(events === undefined ? [] : [`${events.length} events`]),
    ...(orderStatus === undefined ? [] : [orderStatus]),
    ...(etag === null ? [] : [dim(`ETag: ${etag}`)]),
    ...(position === null ? [] : [dim(`Narrative-Position: ${position}`)]),
  ]
}

function shortened(text: string): string {
  return text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, short)
}
