// How an owner can go, each way with how long its partitions may stay without one.
import type { KafkaCluster } from '@narrative/testing'
import kafkajs from 'kafkajs'
import type { Random } from '../random.js'
import { pause } from '../suite/pause.js'
import type { Service } from '../suite/service.js'

export interface TakeoverScene {
  readonly cluster: KafkaCluster
  readonly services: readonly Service[]
  readonly random: Random
  readonly topic: string
  /** Milliseconds. */
  readonly sessionTimeout: number
}

export interface Takeover {
  /** For how long a partition may take no write, milliseconds. */
  limit(sessionTimeout: number): number
  /** Resolves, as soon as the owner is gone, with what puts things right again. */
  strike(scene: TakeoverScene): Promise<() => Promise<unknown>>
}

export const takeoverNames = ['graceful', 'killed', 'frozen', 'leader'] as const

export const takeovers: Readonly<Record<(typeof takeoverNames)[number], Takeover>> = {
  /** An instance is stopped as it should be. */
  graceful: {
    limit: () => 2_000,
    async strike({ services, random }) {
      const service = random.pick(services)
      service.holdDown()
      service.harm({ stop: true })
      await service.gone()
      return async () => service.start()
    },
  },
  /** An instance is killed with -9. */
  killed: {
    limit: (sessionTimeout) => sessionTimeout + 2_000,
    async strike({ services, random }) {
      const service = random.pick(services)
      await service.kill()
      return async () => service.start()
    },
  },
  /** An instance is frozen until others have its partitions, and then goes on as if nothing had happened. */
  frozen: {
    limit: (sessionTimeout) => sessionTimeout + 2_000,
    async strike({ services, random }) {
      const service = random.pick(services)
      service.signal('SIGSTOP')
      return async () => service.signal('SIGCONT')
    },
  },
  /** Of three brokers one that leads a partition is killed with -9. */
  leader: {
    limit: () => 15_000,
    async strike({ cluster, random, topic }) {
      const role = { role: 'leader', topic, partition: random.between(0, 2) } as const
      const leader = (await cluster.holderOf(role))!
      await leader.kill('SIGKILL')
      return async () => {
        await leader.restart()
        await allInSync(cluster.brokers)
      }
    },
  },
}

/** The next one may be taken away when every partition of every topic is on all three again. */
async function allInSync(brokers: string[]): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    for (;;) {
      const { topics } = await admin.fetchTopicMetadata()
      if (topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === brokers.length))) return
      await pause(200)
    }
  } finally {
    await admin.disconnect()
  }
}
