// A worker process: follows the log on Kafka into Postgres, and kills itself at the statement it is told, before or after sending it.

import { silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import pg from 'pg'
import { postgresReadModels, projections } from '../index.js'
import { partContext } from '../runtime/history.test-fixture.js'
import { Counting } from './counting.test-fixture.js'

const { BROKERS = '', CONTEXT = '', URL = '', DIE_AT = 'never', DIE = 'before' } = process.env

let statements = 0
const pool = new pg.Pool({ connectionString: URL })
pool.on('connect', (client) => {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((...args: unknown[]) => {
    const last = ++statements === Number(DIE_AT)
    if (last && DIE === 'before') process.kill(process.pid, 'SIGKILL')
    const answer = send(...args)
    // The statement is in the socket's hands; whether Postgres runs it is now open.
    if (last) setImmediate(() => process.kill(process.pid, 'SIGKILL'))
    return answer
  }) as typeof client.query
})

const views = projections([Counting], { store: postgresReadModels({ pool }) })
const faults = views.prepare(partContext())
if (faults.length > 0) throw new Error(faults.join('\n'))
// No categories: this process reads the log and owns none of its partitions.
const storage = await kafkaEventStore({ brokers: BROKERS.split(','), context: CONTEXT, clientId: 'worker' }).open({
  categories: [],
  clock: systemClock,
  logger: silentLogger,
})
await views.start(storage.eventLog)

process.stdin.resume().on('end', () => process.exit())
