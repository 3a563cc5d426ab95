// Is the process alive, and should traffic be sent to it?
import type { Application } from '@narrative/core'
import type { FastifyInstance } from 'fastify'

/**
 * `/health` is for those who route traffic: 503 when not ready; and it lists the partitions that this instance owns,
 * follows or is catching up with. `/health/live` is for those who restart processes.
 */
export function healthRoutes(server: FastifyInstance, app: Application, isStopping: () => boolean): void {
  server.get('/health', async (_request, reply) => {
    const { reasons, partitions } = app.status()
    const all = isStopping() ? ['The service is shutting down.', ...reasons] : reasons
    const ready = all.length === 0
    if (!ready) reply.code(503)
    return { live: true, ready, reasons: all, partitions: partitions.filter(({ state }) => state !== 'elsewhere') }
  })
  server.get('/health/live', async () => ({ live: true }))
}
