// Zombies: instances that write although somebody else has claimed their partition, on real brokers. None may get through.
//
// Two stores in this process rival for every partition. Nobody tells the one that loses: its group is a puppet that goes
// on calling it the owner, as a group does that an instance was paused for, or cut off from.
import { randomUUID } from 'node:crypto'
import { type AppendResult, isNarrativeError, type OpenStorage, silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { type KafkaCluster, uniqueName } from '@narrative/testing'
import { checkHistory } from '../checker/check-history.js'
import type { AppendOperation, AppendOutcome } from '../checker/history.js'
import { readLog } from '../checker/read-log.js'
import { streamInEach } from '../partition-of.js'
import { Puppet } from './puppet.js'

/** How a zombie's batch comes about: it was sent when the rival claimed, or it begins after that. */
const kinds = ['on its way', 'begun after', 'on its way, and the leader killed'] as const

export interface ZombieFigures {
  /** Zombies that were made. */
  readonly trials: number
  /** Batches under a claim that was over which a broker refused for that reason. */
  readonly fenced: number
  /** Such batches that a broker acknowledged, or that are in the log. */
  readonly accepted: number
  readonly violations: readonly string[]
}

/** One round of each kind, a trial in each partition. */
export async function zombies(cluster: KafkaCluster, partitions: number): Promise<ZombieFigures> {
  const context = uniqueName()
  const topic = `${context}.order.events`
  const streams = streamInEach(partitions)
  const operations: AppendOperation[] = []
  let [owner, rival] = [new Puppet(cluster.brokers), new Puppet(cluster.brokers)]
  const open = ({ driver }: Puppet) =>
    kafkaEventStore({ brokers: cluster.brokers, context, partitions, replicationFactor: 3, driver }).open({
      ...{ categories: ['order'], clock: systemClock, logger: silentLogger },
    })
  owner.give(streams.keys())
  const stores = new Map<Puppet, OpenStorage>([[owner, await open(owner)]])
  stores.set(rival, await open(rival))

  const append = async (by: Puppet, streamId: string): Promise<void> => {
    const id = randomUUID()
    const commandId = randomUUID()
    const event = {
      id,
      type: 'order.placed',
      schemaVersion: 1,
      contentType: 'application/json',
      data: Buffer.from('{}'),
    }
    const metadata = { commandId, correlationId: commandId, causationId: commandId }
    const start = performance.now()
    const outcome = await stores
      .get(by)!
      .eventStore.append(streamId, [event], { expectedVersion: 'any', metadata })
      .then(told, refused)
    operations.push({
      ...{ kind: 'append', id: operations.length, client: 'c', instance: by === owner ? 'owner' : 'rival' },
      ...{ start, end: performance.now(), streamId, commandId, expectedVersion: 'any', eventIds: [id], outcome },
    })
  }
  const all = (by: Puppet) => Promise.all(streams.map((streamId) => append(by, streamId)))

  const figures = { trials: 0, fenced: 0, accepted: 0 }
  for (const kind of kinds) {
    await all(owner)
    const onItsWay = kind !== 'begun after'
    owner.beginTrial(onItsWay)
    const early = onItsWay ? all(owner) : undefined
    if (onItsWay) await owner.holds(partitions)
    rival.give(streams.keys())
    await all(rival)
    if (kind === 'on its way, and the leader killed') {
      await (await cluster.holderOf({ role: 'leader', topic, partition: 0 }))!.kill('SIGKILL')
      await all(rival)
    }
    const undead = early ?? all(owner)
    const outcomes = await owner.release(partitions)
    owner.give([])
    await undead
    figures.trials += partitions
    for (const outcome of outcomes) {
      if (outcome?.outcome === 'done') figures.accepted++
      if (outcome?.outcome === 'not-done' && outcome.reason === 'fenced') figures.fenced++
    }
    ;[owner, rival] = [rival, owner]
  }
  await all(owner)
  await Promise.all([...stores.values()].map((store) => store.close()))
  const { violations, facts } = checkHistory({ operations, log: await readLog(cluster.brokers, topic) })
  // What slipped through would be void to readers. It counts as accepted here: the broker must not let it through.
  figures.accepted += facts.voids
  return { ...figures, violations: violations.map(({ rule, says }) => `${rule}: ${says}`) }
}

const told = ({ outcome: told, ...rest }: AppendResult) => ({ told, ...rest }) as AppendOutcome

function refused(error: unknown): AppendOutcome {
  if (!isNarrativeError(error)) throw error
  return { told: error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused', code: error.code }
}
