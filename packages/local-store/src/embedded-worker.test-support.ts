// A process that appends as fast as it can and says which appends were acknowledged, a line each. It waits to be killed.
import { randomUUID } from 'node:crypto'
import { isNarrativeError } from '@narrative/core'
import { embeddedEventStore } from './embedded-event-store.js'

const [directory = '', run = ''] = process.argv.slice(2)

async function main() {
  const { eventStore } = await embeddedEventStore({ directory, partitions: 2 }).open({ categories: ['order'] })
  process.stdout.write('open\n')
  const caller = async (stream: number) => {
    for (let n = 0; ; n++) {
      const streamId = `order-${stream}`
      const commandId = `${run}-${stream}-${n}`
      const event = (index: number) => ({
        id: randomUUID(),
        type: 'order.placed',
        schemaVersion: 1,
        contentType: 'text/plain',
        data: Buffer.from(`${commandId}/${index} ${'x'.repeat((n * 37) % 3000)}`),
      })
      const metadata = { commandId, correlationId: commandId, causationId: commandId }
      const result = await eventStore.append(streamId, [event(0), event(1)], { expectedVersion: 'any', metadata })
      if (result.outcome === 'appended') process.stdout.write(`${streamId} ${commandId} ${result.version}\n`)
    }
  }
  await Promise.all(Array.from({ length: 24 }, (_, stream) => caller(stream)))
}

main().catch((error: unknown) => {
  process.stdout.write(`failed ${isNarrativeError(error) ? error.code : String(error)} ${String(error)}\n`)
  process.exit(3)
})
