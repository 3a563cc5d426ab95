// What the guide to Kafka shows.
import { readFileSync } from 'node:fs'
// #region open
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { Order } from './order.js'

export const start = () =>
  createApplication({
    aggregates: [Order],
    eventStore: kafkaEventStore({ brokers: ['localhost:9092'], context: 'shop' }),
  })
// #endregion

// #region security
export const secured = kafkaEventStore({
  brokers: ['kafka-1.example.com:9093', 'kafka-2.example.com:9093'],
  context: 'shop',
  replicationFactor: 3,
  ssl: { ca: readFileSync('ca.pem', 'utf8') },
  sasl: { mechanism: 'scram-sha-512', username: 'orders', password: process.env.KAFKA_PASSWORD ?? '' },
})
// #endregion
