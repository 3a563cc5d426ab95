// A process whose files may not grow beyond a limit (see disk-replica.test.ts): an instance whose disk is full. It prints
// what became of its appends, what it says of itself, and what another instance finds in the log.
import { type PartitionStatus, silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '../kafka-event-store.js'
import { MemoryBroker } from '../memory-broker.test-support.js'
import { anEvent, metadata } from '../store.test-support.js'
import { diskReplica } from './disk-replica.js'
import type { ReplicaStorage } from './replica.js'

const [directory = ''] = process.argv.slice(2)
const broker = new MemoryBroker()

function open(replica?: ReplicaStorage) {
  const options = { brokers: [], context: 'test', partitions: 1, driver: () => broker.driver(), replica }
  return kafkaEventStore(options).open({ categories: ['order'], clock: systemClock, logger: silentLogger })
}

async function main() {
  const full = await open(diskReplica({ directory }))
  const acknowledged: string[] = []
  const failures = new Set<string>()
  for (let n = 0; full.health().ready; n++) {
    const appends = Array.from({ length: 20 }, async (_, stream) => {
      const commandId = `c${n}-${stream}`
      const event = { ...anEvent(commandId), data: Buffer.alloc(2_000, 'x') }
      const options = { expectedVersion: 'any' as const, metadata: metadata(commandId) }
      const result = await full.eventStore.append(`order-${stream}`, [event], options)
      if (result.outcome === 'appended') acknowledged.push(`order-${stream} ${commandId}`)
    })
    for (const settled of await Promise.allSettled(appends)) {
      if (settled.status === 'rejected') failures.add(settled.reason.code ?? String(settled.reason))
    }
  }
  const status = full.status?.()[0] as PartitionStatus
  const { reasons } = full.health()
  const again = await full.eventStore
    .append('order-1', [anEvent('late')], { expectedVersion: 'any', metadata: metadata('late') })
    .catch((error) => error.code)

  const other = await open()
  let found = 0
  for (const line of acknowledged) {
    const [streamId, commandId] = line.split(' ') as [string, string]
    if ((await other.eventStore.findCommand(streamId, commandId)) !== undefined) found++
  }
  const goesOn = await other.eventStore.append('order-1', [anEvent('next')], {
    expectedVersion: 'any',
    metadata: metadata('next'),
  })
  await other.close()
  await full.close()
  const said = {
    acknowledged: acknowledged.length,
    found,
    failures: [...failures],
    state: status.state,
    reasons,
    again,
  }
  process.stdout.write(`${JSON.stringify({ ...said, goesOn: goesOn.outcome })}\n`)
}

main().catch((error: unknown) => {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`)
  process.exit(3)
})
