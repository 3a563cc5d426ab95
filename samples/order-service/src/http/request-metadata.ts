// Ties what a request causes to the request: its correlation id and W3C trace context become metadata of every event.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { runWithMetadata } from '@narrative/core'
import type { FastifyInstance } from 'fastify'

export const correlationHeader = 'x-correlation-id'

/** The caller's correlation id, or its request id, or a new one. One that could not travel in a header is not taken over. */
export function correlationIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[correlationHeader] ?? headers['x-request-id']
  return typeof given === 'string' && /^[\x21-\x7e]{1,200}$/.test(given) ? given : randomUUID()
}

const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Expects the server to use {@link correlationIdOf} for its request ids, so that its log and the events agree. */
export function carryMetadata(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header(correlationHeader, request.id)
  })
  // The last hook before the handler, so that nothing in between can lose the asynchronous context.
  server.addHook('preHandler', (request, _reply, done) => {
    const { traceparent } = request.headers
    const isTrace = typeof traceparent === 'string' && traceparentPattern.test(traceparent)
    runWithMetadata({ correlationId: request.id, ...(isTrace ? { traceparent } : {}) }, done)
  })
}
