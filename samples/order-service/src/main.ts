// The service: settings, application, server; and an orderly end.

import { isNarrativeError } from '@narrative/core'
import { createOrderApplication } from './application.js'
import { createServer } from './http/create-server.js'
import { onShutdownSignal } from './on-shutdown-signal.js'
import { readSettings, SettingsFaulty } from './settings.js'

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const stops: (() => Promise<void>)[] = []
  onShutdownSignal(async () => {
    for (const stop of stops.reverse()) await stop()
  })
  const app = await createOrderApplication(settings.backing)
  stops.push(() => app.stop())
  const server = createServer(app, { logger: true })
  stops.push(() => server.close())
  await server.listen({ port: settings.port, host: settings.host })
  if (settings.backing.kind === 'embedded') {
    server.log.info('Embedded: events and views live in this process; nothing survives a restart.')
  }
}

main().catch((error: unknown) => {
  const isExpected =
    error instanceof SettingsFaulty || isNarrativeError(error) || (error as { syscall?: unknown }).syscall
  console.error(isExpected ? `order-service: ${(error as Error).message}` : error)
  process.exit(1)
})
