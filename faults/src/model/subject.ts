// What is under test: the event store, and the application that routes commands over it. Planted bugs come as other ones.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'

export interface Subject {
  readonly createApplication: typeof createApplication
  readonly kafkaEventStore: typeof kafkaEventStore
}

/** As it is built. */
export const sound: Subject = { createApplication, kafkaEventStore }
