// The narrator when nothing more comes.
import { inMemoryEventStore, silentLogger, systemClock } from '@narrative/core'
import { expect, test } from 'vitest'
import { Narrator } from './narrator.js'

test('whoever waits for an event that never comes is told when the telling ends', async () => {
  const storage = inMemoryEventStore()
  const { eventLog } = await storage.open({ categories: ['order'], clock: systemClock, logger: silentLogger })
  const narrator = await Narrator.of(eventLog)
  const waiting = narrator.hasTold('order.events/0@99')
  const refused = expect(waiting).rejects.toThrow('stopped')
  await narrator.stop()
  await refused
})
