// The HTTP side of the service: routes, problems, metadata.
import type { Application } from '@narrative/core'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { healthRoutes } from './health-routes.js'
import { orderRoutes } from './order-routes.js'
import { orderViewRoutes } from './order-view-routes.js'
import { Problem } from './problem.js'
import { problemOf } from './problem-of.js'
import { carryMetadata, correlationHeader, correlationIdOf } from './request-metadata.js'

export interface ServerOptions {
  /** Told of every request and every failure; default nobody. */
  readonly logger?: FastifyBaseLogger
  /** How long a query waits for the position in Narrative-After, milliseconds; default 5,000. */
  readonly readTimeout?: number
}

/** Makes a server that does not listen yet. Its `close` waits for the requests under way. */
export function createServer(app: Application, { logger, readTimeout = 5_000 }: ServerOptions = {}): FastifyInstance {
  const closing = new AbortController()
  const server = fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    genReqId: correlationIdOf,
    // Requests that arrive while it closes are still served: the application stops after the server does.
    return503OnClosing: false,
    frameworkErrors: sendProblem,
  })
  server.removeContentTypeParser('text/plain')
  server.setErrorHandler(sendProblem)
  server.setNotFoundHandler((request) => {
    throw new Problem(404, 'http.route-unknown', `There is nothing at ${request.method} ${request.url.split('?')[0]}.`)
  })
  server.addHook('preClose', async () => {
    closing.abort()
  })
  // A connection that is kept alive after its last answer would keep the server from closing.
  server.addHook('onSend', async (_request, reply) => {
    if (closing.signal.aborted) reply.header('connection', 'close')
  })
  carryMetadata(server)
  orderRoutes(server, app)
  orderViewRoutes(server, app, readTimeout, closing.signal)
  healthRoutes(server, app, () => closing.signal.aborted)
  return server
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error)
  if (problem.status === 500) request.log.error({ err: error }, 'A request failed')
  else if (problem.status > 500) request.log.warn({ err: error }, 'A request could not be served')
  reply
    .code(problem.status)
    .headers(problem.headers)
    .header(correlationHeader, request.id)
    .type('application/problem+json')
    .send(JSON.stringify(problem))
}
