// The faults of the suite: each does its harm, waits, and puts things right again.
import type { KafkaCluster, KafkaProxy } from '@narrative/testing'
import type { Random } from '../random.js'
import type { Service } from './service.js'

/** What can be harmed. */
export interface Stage {
  readonly cluster: KafkaCluster
  readonly services: readonly Service[]
  /** By service and node. */
  readonly proxies: readonly (readonly KafkaProxy[])[]
  readonly random: Random
  /** Milliseconds. */
  readonly sessionTimeout: number
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

export const suiteFaults: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'an instance is killed with -9 and started again': async ({ services, random }) => {
    const service = random.pick(services)
    service.signal('SIGKILL')
    while (service.running) await pause(10)
    await pause(random.between(0, 3_000))
    service.start()
  },
  'an instance is frozen for half a session': (stage) => freeze(stage, 0.5),
  'an instance is frozen for one and a half sessions': (stage) => freeze(stage, 1.5),
  'an instance is frozen for three sessions': (stage) => freeze(stage, 3),
  'a broker is killed with -9 and started again': async ({ cluster, random }) => {
    const node = random.pick(cluster.nodes)
    await node.kill('SIGKILL')
    await pause(random.between(0, 8_000))
    await node.restart()
  },
  'a broker is stopped and started again': async ({ cluster, random }) => {
    await random.pick(cluster.nodes).restart()
  },
  'a broker is frozen': async ({ cluster, random }) => {
    const node = random.pick(cluster.nodes)
    node.pause()
    await pause(random.between(1_000, 12_000))
    node.resume()
  },
  'an instance hears and says nothing': (stage) => blackHole(stage, 'both'),
  'an instance is not heard': (stage) => blackHole(stage, 'request'),
  'an instance hears nothing': (stage) => blackHole(stage, 'answer'),
  'an instance and one broker lose each other': async ({ proxies, random }) => {
    const hole = random.pick(random.pick(proxies)).blackHole()
    await pause(random.between(1_000, 10_000))
    hole.lift()
  },
  'connections are cut': async ({ proxies, random }) => {
    for (const proxy of random.pick(proxies)) proxy.cut()
  },
  'answers to Produce are lost': (stage) => loseAnswers(stage, 'Produce'),
  'answers to InitProducerId are lost': (stage) => loseAnswers(stage, 'InitProducerId'),
  'answers to Fetch are lost': (stage) => loseAnswers(stage, 'Fetch'),
  'answers to Heartbeat are lost': (stage) => loseAnswers(stage, 'Heartbeat'),
  'answers to Produce are late': async ({ proxies, random }) => {
    const rules = random.pick(proxies).map((proxy) => proxy.on('Produce').delayResponses(random.between(100, 4_000)))
    await pause(random.between(1_000, 6_000))
    for (const rule of rules) rule.lift()
  },
}

async function freeze({ services, random, sessionTimeout }: Stage, sessions: number): Promise<void> {
  const service = random.pick(services)
  service.signal('SIGSTOP')
  await pause(sessions * sessionTimeout)
  service.signal('SIGCONT')
}

async function blackHole({ proxies, random }: Stage, direction: 'request' | 'answer' | 'both'): Promise<void> {
  const holes = random.pick(proxies).map((proxy) => proxy.blackHole(direction))
  await pause(random.between(1_000, 12_000))
  for (const hole of holes) hole.lift()
}

async function loseAnswers({ proxies, random }: Stage, api: 'Produce' | 'InitProducerId' | 'Fetch' | 'Heartbeat') {
  const cut = random.chance(0.5)
  const rules = random.pick(proxies).map((proxy) => proxy.on(api).dropResponse({ nth: random.between(1, 5), cut }))
  await Promise.race([...rules.map((rule) => rule.happened), pause(5_000)])
  for (const rule of rules) rule.lift()
}
