// Three Kafka brokers of one's own: what is written survives the loss of any one of them, and tests take them away.
import type { Logger } from '@narrative/core'
import { freePort } from './free-port.js'
import { kafkaId, kafkaRuntime, LocalKafkaNode } from './kafka-node.js'
import type { KafkaLayout } from './kafka-properties.js'
import { holderOf, type KafkaRole } from './kafka-roles.js'
import { announced } from './progress.js'
import { onFreePorts } from './run-supervised.js'

const host = '127.0.0.1'
const size = 3

/** What a cluster of one's own is asked for. */
export interface KafkaClusterOptions {
  /** Three: fewer do not survive a loss, more do not fit a test machine. */
  readonly nodes: 3
  /**
   * Ways to the cluster through proxies: for each way the ports of three TCP proxies on 127.0.0.1, one before each node.
   * Clients that begin with a port of a way stay on it. Let each proxy pass on to the node's {@link KafkaNode.proxyTargets}.
   */
  readonly proxyPorts?: readonly (readonly number[])[]
  /** Server properties of every broker. */
  readonly settings?: Readonly<Record<string, string>>
}

/** One broker of a cluster. */
export interface KafkaNode {
  /** `node.id`: 1, 2 or 3. */
  readonly id: number
  /** `host:port`. */
  readonly broker: string
  /** Ports of the listeners behind the proxies, one for each way of {@link KafkaClusterOptions.proxyPorts}. */
  readonly proxyTargets: readonly number[]
  /** Ends its process and resolves when it is gone; its data stays. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it when it runs, starts it again on the same ports and data, and resolves when it answers. */
  restart(): Promise<void>
  /** Freezes it (SIGSTOP): its connections stay, and nobody answers. */
  pause(): void
  /** Lets it go on (SIGCONT). */
  resume(): void
}

/** A cluster of one's own. Topics without wishes of their own have replication factor 3, of which 2 must be in sync. */
export interface KafkaCluster {
  /** `host:port` of each broker. */
  readonly brokers: string[]
  /** Local jars: no other source lets a test kill brokers. */
  readonly source: 'local'
  readonly nodes: readonly KafkaNode[]
  /** Who has a duty at the moment; undefined when nobody is known to. */
  holderOf(role: KafkaRole): Promise<KafkaNode | undefined>
  /** Stops all of it and removes the data. */
  stop(): Promise<void>
}

/** Starts three brokers, each also a controller; resolves when each of them sees all of them. */
export async function startLocalKafkaCluster(options: KafkaClusterOptions, logger: Logger): Promise<KafkaCluster> {
  const runtime = await kafkaRuntime(logger)
  const clusterId = kafkaId()
  const nodes = await Promise.all(Array.from({ length: size }, () => LocalKafkaNode.open(runtime, clusterId, '320m')))
  const stop = async () => void (await Promise.all(nodes.map((node) => node.close())))
  try {
    const services = nodes.map((node) => node.service)
    const layouts = await onFreePorts(services, async () => {
      const layouts = await layOut(options, nodes)
      const starting = nodes.map((node, at) => node.start(layouts[at]!, size))
      try {
        await announced(logger, 'Starting three Kafka brokers from their jars', 15_000, () => Promise.all(starting))
      } catch (error) {
        // One that fails leaves the others waiting for it: ended, they may be started again on other ports.
        await Promise.all(nodes.map((node) => node.kill('SIGKILL')))
        await Promise.allSettled(starting)
        throw error
      }
      return layouts
    })
    const handles = nodes.map((node, at): KafkaNode => {
      return {
        id: at + 1,
        broker: `${host}:${layouts[at]!.port}`,
        proxyTargets: (layouts[at]!.proxied ?? []).map(({ port }) => port),
        kill: (signal = 'SIGKILL') => node.kill(signal),
        restart: () => node.restart(),
        pause: () => node.pause(),
        resume: () => node.resume(),
      }
    })
    return {
      brokers: handles.map(({ broker }) => broker),
      source: 'local',
      nodes: handles,
      async holderOf(role) {
        for (const { port } of layouts) {
          const id = await holderOf(role, host, port)
          if (id !== undefined) return handles[id - 1]
        }
        return undefined
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function layOut(
  { proxyPorts = [], settings }: KafkaClusterOptions,
  nodes: readonly LocalKafkaNode[],
): Promise<KafkaLayout[]> {
  const controllerPorts: number[] = []
  for (let node = 0; node < size; node++) controllerPorts.push(await freePort())
  const layouts: KafkaLayout[] = []
  for (const [at, { dataDirectory }] of nodes.entries()) {
    const proxied: { port: number; advertised: number }[] = []
    for (const way of proxyPorts) proxied.push({ port: await freePort(), advertised: way[at]! })
    const cluster = { node: at + 1, controllerPorts }
    const controllerPort = controllerPorts[at]!
    layouts.push({ dataDirectory, port: await freePort(), controllerPort, proxied, cluster, settings })
  }
  return layouts
}
