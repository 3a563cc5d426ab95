// Faults of brokers: whoever has a duty at that moment is killed or stopped; all of them one after the other; frozen.
import type { KafkaRole } from '@narrative/testing'
import type { Fault, Faults, Scene } from './fault.js'
import { pause } from './pause.js'
import type { Broker } from './stage.js'

const duties: Readonly<Record<string, (scene: Scene) => KafkaRole>> = {
  'leads a partition': ({ topic, partitions, random }) => {
    return { role: 'leader', topic, partition: random.between(0, partitions - 1) }
  },
  'coordinates transactions': ({ topic, partitions, random }) => {
    return { role: 'transaction-coordinator', transactionalId: `${topic}-${random.between(0, partitions - 1)}` }
  },
  'coordinates the group': ({ group }) => ({ role: 'group-coordinator', group }),
  'controls the cluster': () => ({ role: 'controller' }),
}

export const brokerFaults: Faults = {
  ...Object.fromEntries(
    Object.entries(duties).flatMap(([duty, role]): [string, Fault][] => [
      [`the broker that ${duty} is killed`, (scene) => taken(scene, role(scene), 'SIGKILL')],
      [`the broker that ${duty} is stopped`, (scene) => taken(scene, role(scene), 'SIGTERM')],
    ]),
  ),
  'brokers are restarted one after the other': async ({ brokers }) => {
    for (const { node, turns } of brokers) await turns.take(() => node.restart())
    return 'all brokers'
  },
  'a broker is frozen': async ({ brokers, random }) => {
    const { node, turns } = random.pick(brokers)
    await turns.take(async () => {
      node.pause()
      await pause(random.between(500, 6_000))
      node.resume()
    })
    return `broker ${node.id}`
  },
}

async function taken(scene: Scene, role: KafkaRole, signal: NodeJS.Signals): Promise<string> {
  const { node, turns } = await holder(scene, role)
  await turns.take(async () => {
    await node.kill(signal)
    await pause(scene.random.between(0, 2_000))
    await node.restart()
  })
  return `broker ${node.id}`
}

/** While another fault has it nobody may have the duty: then somebody is soon given it. */
async function holder({ cluster, brokers }: Scene, role: KafkaRole): Promise<Broker> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const node = await cluster.holderOf(role)
    if (node !== undefined) return brokers[node.id - 1]!
    await pause(100)
  }
  throw new Error(`Nobody came to be ${JSON.stringify(role)}.`)
}
