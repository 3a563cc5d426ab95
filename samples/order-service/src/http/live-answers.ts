// A query that stays open, as Server-Sent Events (WHATWG HTML, "Server-sent events").
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** True for a browser's EventSource, and for whoever asks like one. */
export function wantsLive({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/event-stream') ?? false
}

/**
 * Sends each answer as an event, until the client goes or the server closes. Each is whole, so a client that lost the
 * connection connects again and has missed nothing that still matters.
 *
 * @param ask what fails before its first answer is answered as a problem, as without the stream
 */
export async function sendLive<T>(
  reply: FastifyReply,
  closing: AbortSignal,
  ask: (signal: AbortSignal) => AsyncIterable<T>,
): Promise<FastifyReply> {
  const gone = new AbortController()
  reply.raw.on('close', () => gone.abort())
  const answers = ask(AbortSignal.any([closing, gone.signal]))[Symbol.asyncIterator]()
  let next = await answers.next()
  async function* events() {
    for (; next.done !== true; next = await answers.next()) yield `data: ${JSON.stringify(next.value)}\n\n`
  }
  return reply
    .type('text/event-stream')
    .header('cache-control', 'no-store')
    .header('connection', 'close') // kept alive after its end, it would keep the server from closing
    .send(Readable.from(events()))
}
