// Everything on the stage: brokers, the service with a proxy before each broker for each of its processes, a worker that
// keeps views, and a database.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@narrative/core'
import {
  type KafkaCluster,
  type KafkaNode,
  type KafkaProxy,
  kafkaProxy,
  startKafka,
  startPostgres,
  uniqueName,
} from '@narrative/testing'
import { partitionOf } from '../partition-of.js'
import { Rogue } from './rogue.js'
import { Service } from './service.js'
import { Turns } from './turns.js'

/** Brokers, and as many instances. */
const size = 3
/** Each process has a way of its own to the brokers: the instances, then the worker, which a guest shares. */
const ways = size + 1

/** A broker that several may want to strike. */
export interface Broker {
  readonly node: KafkaNode
  readonly turns: Turns
}

/** What can be harmed. */
export interface Stage {
  readonly cluster: KafkaCluster
  readonly brokers: readonly Broker[]
  readonly services: readonly Service[]
  /** An instance that comes and goes; most of the time it is not there. */
  readonly guest: Service
  readonly worker: Service
  /** By service and node. */
  readonly proxies: readonly (readonly KafkaProxy[])[]
  readonly rogue: Rogue
  readonly topic: string
  /** The consumer group of the instances. */
  readonly group: string
  readonly partitions: number
  partitionOf(streamId: string): number
  /** Milliseconds. */
  readonly sessionTimeout: number
  close(): Promise<void>
}

/** Sets it up; nothing of the service runs yet. Replicas and logs of the processes are kept in the directory. */
export async function setStage(directory: string, partitions: number, sessionTimeout: number): Promise<Stage> {
  const proxies = await Promise.all(
    Array.from({ length: ways }, () => Promise.all(Array.from({ length: size }, () => kafkaProxy()))),
  )
  const proxyPorts = proxies.map((way) => way.map((proxy) => proxy.port))
  const settings = {
    // Faults follow each other quickly, so that there may be many: what waits for a timeout waits less long.
    'group.min.session.timeout.ms': '1000',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  }
  const [cluster, postgres] = await Promise.all([
    startKafka({ nodes: size, proxyPorts, settings }, silentLogger),
    startPostgres({ logger: silentLogger }),
  ])
  proxies.forEach((way, at) => {
    way.forEach((proxy, node) => {
      proxy.forwardTo({ port: cluster.nodes[node]!.proxyTargets[at]! })
    })
  })
  const context = uniqueName()
  const topic = `${context}.order.events`
  mkdirSync(directory, { recursive: true })
  const service = (name: string, way: number, own: { directory?: string; database?: string } = {}) => {
    const brokers = proxyPorts[way]!.map((port) => `127.0.0.1:${port}`)
    return new Service({ name, brokers, context, partitions, sessionTimeout, ...own }, join(directory, `${name}.log`))
  }
  const services = [
    service('i1', 0, { directory: join(directory, 'i1') }),
    service('i2', 1, { directory: join(directory, 'i2') }),
    service('i3', 2),
  ]
  const guest = service('guest', size)
  const worker = service('worker', size, { database: await postgres.createDatabase() })
  const rogue = await Rogue.open(cluster.brokers, topic, partitions)
  return {
    ...{ cluster, services, guest, worker, proxies, rogue, topic, partitions, sessionTimeout, group: context },
    brokers: cluster.nodes.map((node) => ({ node, turns: new Turns() })),
    partitionOf: (streamId) => partitionOf(streamId, partitions),
    async close() {
      await Promise.all([...services, guest, worker].map((process) => process.kill()))
      await rogue.close()
      await Promise.all([...proxies.flat().map((proxy) => proxy.close()), cluster.stop(), postgres.stop()])
    },
  }
}
