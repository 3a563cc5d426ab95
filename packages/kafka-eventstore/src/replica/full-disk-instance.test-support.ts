// An instance on a real broker whose files may not grow beyond a limit (see full-disk.int.test.ts): it appends until it says that
// it does not serve any more, and lives on. Each acknowledged append is a line.
import { randomUUID } from 'node:crypto'
import { silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '../kafka-event-store.js'
import { anEvent, metadata } from '../store.test-support.js'
import { diskReplica } from './disk-replica.js'

const [brokers = '', context = '', directory = ''] = process.argv.slice(2)
const options = { brokers: brokers.split(','), context, partitions: 4, replica: diskReplica({ directory }) }
const store = await kafkaEventStore(options).open({ categories: ['order'], clock: systemClock, logger: silentLogger })
process.stdout.write('serving\n')

for (let told = false; ; ) {
  const { reasons } = store.health()
  if (reasons.length > 0 && !told) process.stdout.write(`failed ${reasons.join(' ')}\n`)
  told ||= reasons.length > 0
  await Promise.allSettled(
    Array.from({ length: 20 }, async (_, stream) => {
      const commandId = randomUUID()
      const event = { ...anEvent(commandId), data: Buffer.alloc(2_000, 'x') }
      const append = { expectedVersion: 'any' as const, metadata: metadata(commandId) }
      const result = await store.eventStore.append(`order-${stream}`, [event], append)
      if (result.outcome === 'appended') process.stdout.write(`order-${stream} ${commandId}\n`)
    }),
  )
  if (told) await new Promise((resolve) => setTimeout(resolve, 100)) // nothing here is served any more: no hurry
}
