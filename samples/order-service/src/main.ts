// The service: settings, application, server; and an orderly end.
import { pino } from 'pino'
import { createOrderApplication } from './application.js'
import { createServer } from './http/create-server.js'
import { onShutdownSignal } from './on-shutdown-signal.js'
import { sentenceOf } from './sentence-of.js'
import { readSettings } from './settings.js'

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const logger = pino({ serializers: { error: pino.stdSerializers.err } })

  const stops: (() => Promise<void>)[] = []
  onShutdownSignal(async (signal) => {
    logger.info({ signal }, 'Shutting down: no new connections; what is under way is finished')
    for (const stop of stops.reverse()) await stop()
    logger.info({}, 'Stopped')
  })

  const { app } = await createOrderApplication(settings.backing, logger)
  stops.push(() => app.stop())
  const server = createServer(app, { logger })
  stops.push(() => server.close())
  await server.listen({ port: settings.port, host: settings.host })
  if (settings.backing.kind === 'embedded') {
    const { directory } = settings.backing
    logger.info(
      { directory },
      'Embedded: events are kept in a directory; views live in this process, made anew at every start',
    )
  }
}

main().catch((error: unknown) => {
  console.error(`order-service cannot start. ${sentenceOf(error)}`)
  process.exit(1)
})
