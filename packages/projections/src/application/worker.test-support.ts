// A worker process: follows the log on Kafka into Postgres, alone or sharing it with others, and says what it follows; or rebuilds, and ends.
// It kills itself at the statement it is told, before or after sending it.

import { silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import pg from 'pg'
import { postgresReadModels, projections } from '../index.js'
import { partContext } from '../runtime/history.test-support.js'
import { Counting } from './counting.test-support.js'

const { BROKERS = '', CONTEXT = '', URL = '', DIE_AT = 'never', DIE = 'before', SHARE, REBUILD } = process.env

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

const views = projections([Counting], { store: postgresReadModels({ pool }), follow: REBUILD === undefined })
const faults = views.prepare(partContext())
if (faults.length > 0) throw new Error(faults.join('\n'))
// No categories: this process reads the log and owns none of its partitions.
const storage = await kafkaEventStore({ brokers: BROKERS.split(','), context: CONTEXT, clientId: 'worker' }).open({
  categories: [],
  clock: systemClock,
  logger: silentLogger,
})
const { eventLog } = storage
const alone = { partitions: eventLog.partitions.bind(eventLog), subscribe: eventLog.subscribe.bind(eventLog) }
await views.start(SHARE === undefined ? alone : eventLog)
if (REBUILD !== undefined) {
  await views.rebuild(Counting)
  process.exit()
}

let said = ''
setInterval(() => {
  const [status] = views.status()
  const here = status!.partitions.filter((partition) => partition.here).map(({ partition }) => partition)
  const saying = JSON.stringify({ state: status!.state, here })
  if (saying !== said) process.stdout.write(`${saying}\n`)
  said = saying
}, 100)

process.stdin.resume().on('end', () => process.exit())
