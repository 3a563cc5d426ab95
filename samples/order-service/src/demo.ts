// `pnpm demo`: the service, and a few minutes in its life, on one screen.
import type { AddressInfo } from 'node:net'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { type Application, silentLogger } from '@narrative/core'
import { type KafkaService, type PostgresService, startKafka, startPostgres } from '@narrative/testing'
import { createOrderApplication } from './application.js'
import { Client } from './demo/client.js'
import { Narrator } from './demo/narrator.js'
import { play } from './demo/scenes.js'
import { createServer } from './http/create-server.js'
import { onShutdownSignal } from './on-shutdown-signal.js'
import { sentenceOf } from './sentence-of.js'
import { type Backing, dataDirectory, SettingsFaulty } from './settings.js'
import { bold, cyan, dim } from './terminal/paint.js'
import { number } from './terminal/progress-bar.js'

const usage = `pnpm demo [--once] [--kafka] [--port <number>]

  --once   exit when everything was shown
  --kafka  events in Kafka and the view in Postgres, instead of events in a directory (NARRATIVE_DATA, else .narrative)
  --port   where the service listens; default PORT, else any free port`

async function main(): Promise<void> {
  const options = readArguments()
  if (options === undefined) return
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  let interrupted = false
  onShutdownSignal(() => {
    interrupted = true
    return stop()
  })
  try {
    console.log(`\n${bold('Narrative')} · order-service\n`)
    const backing = options.kafka
      ? await startServices(stops)
      : ({ kind: 'embedded', directory: dataDirectory(process.env) } as const)
    const { app, views } = await createOrderApplication(backing, silentLogger)
    stops.push(() => app.stop())
    const server = createServer(app)
    stops.push(() => server.close())
    await server.listen({ port: options.port, host: 'localhost' })
    const url = `http://localhost:${(server.server.address() as AddressInfo).port}`
    const narrator = await Narrator.of(app.eventLog)
    stops.push(() => narrator.stop())

    console.log(`  ${cyan(url)}`)
    console.log(dim(`  ${whereThingsAre(backing)}`))
    // In a directory each offset is an event; on Kafka some are claims.
    if (backing.kind === 'embedded') console.log(dim(`  ${await whatWasThere(app)}`))
    await play({ client: new Client(url, narrator), narrator, views })
    console.log(`\n${bold('Your turn')}\n${curlLines(url)}`)
    if (options.once) await stop()
    else console.log(dim('\n  Events appear here as they are appended. Ctrl-C ends it.\n'))
  } catch (error) {
    if (interrupted) return // what was under way could not end well; the signal's handler says how it ends
    await stop()
    throw error
  }
}

function readArguments() {
  // pnpm passes the -- of `pnpm demo -- --once` on.
  const args = process.argv.slice(2).filter((argument) => argument !== '--')
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean' },
      kafka: { type: 'boolean' },
      help: { type: 'boolean' },
      port: { type: 'string' },
    },
  })
  const port = values.port ?? process.env.PORT ?? '0'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new SettingsFaulty([`The port must be a number from 0 to 65535, not ${port}.`])
  if (!values.help) return { once: values.once ?? false, kafka: values.kafka ?? false, port: Number(port) }
  console.log(usage)
  return undefined
}

/** Both at once; when one of them fails, the other is still stopped. */
async function startServices(stops: (() => Promise<void>)[]): Promise<Backing> {
  const stopping = <S extends { stop(): Promise<void> }>(service: S): S => {
    stops.push(() => service.stop())
    return service
  }
  const started = await Promise.allSettled([startKafka().then(stopping), startPostgres().then(stopping)])
  const failed = started.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const [kafka, postgres] = started as [PromiseFulfilledResult<KafkaService>, PromiseFulfilledResult<PostgresService>]
  return { kind: 'kafka', brokers: kafka.value.brokers, databaseUrl: await postgres.value.createDatabase() }
}

function whereThingsAre(backing: Backing): string {
  if (backing.kind === 'kafka') return `events in Kafka at ${backing.brokers.join(', ')}, the view in Postgres`
  return `events in ${relative(process.cwd(), backing.directory ?? '') || '.'}, the view in this process (--kafka: in Kafka and Postgres)`
}

/** A second run still has the first one's orders. */
async function whatWasThere({ eventLog }: Application): Promise<string> {
  const events = (await eventLog.partitions('order')).reduce((sum, { start, end }) => sum + end - start, 0)
  return events === 0
    ? 'no events yet; run it again, and those of this run will still be there'
    : `${number(events)} events of earlier runs are still there`
}

function curlLines(url: string): string {
  const body = `'{"customerId":"me","lines":[{"productId":"tea","quantity":1,"unitPrice":450}]}'`
  return [
    `  curl -i ${url}/v1/orders -H 'content-type: application/json' -d ${body}`,
    `  curl '${url}/v1/orders?customerId=me'`,
    `  curl ${url}/v1/orders/${dim('<orderId>')}/history`,
    `  curl -i ${url}/v1/orders/${dim('<orderId>')}/cancel -H 'content-type: application/json' -d '{"reason":"…"}'`,
  ].join('\n')
}

main().catch((error: unknown) => {
  console.error(`The demo cannot go on. ${sentenceOf(error)}`)
  process.exit(1)
})
