// One service instance, a process of its own: it serves appends and reads that come over its channel, until it is killed.
import { isNarrativeError, silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import type { InstanceAnswer, InstanceRequest, InstanceSettings } from './instance-messages.js'

const { brokers, context, partitions, name, sessionTimeout } = JSON.parse(process.argv[2]!) as InstanceSettings
process.on('disconnect', () => process.exit()) // whoever started it is gone

const say = (answer: InstanceAnswer) => void process.send?.(answer)
const storage = kafkaEventStore({ brokers, context, partitions, replicationFactor: 3, clientId: name, sessionTimeout })
const { eventStore } = await storage.open({ categories: ['order'], clock: systemClock, logger: silentLogger })
say({ ready: true })

process.on('message', async (request: InstanceRequest) => {
  const { id } = request
  try {
    if ('append' in request) {
      const { streamId, commandId, expectedVersion, eventIds } = request.append
      const events = eventIds.map((id) => {
        return { id, type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data: Buffer.from('{}') }
      })
      const metadata = { commandId, correlationId: commandId, causationId: commandId }
      say({ id, result: await eventStore.append(streamId, events, { expectedVersion, metadata }) })
    } else {
      const read: string[] = []
      for await (const event of eventStore.read(request.read)) read.push(event.id)
      say({ id, read })
    }
  } catch (error) {
    say({ id, code: isNarrativeError(error) ? error.code : String(error) })
  }
})
