// One random history from one seed: instances that rival, clients that write and read, and whatever can go wrong.
import { isNarrativeError } from '@narrative/core'
import type { kafkaEventStore } from '@narrative/kafka-eventstore'
import { checkHistory, type Verdict, type Violation } from '../checker/check-history.js'
import type { Dump } from '../checker/evidence.js'
import type { Operation } from '../checker/history.js'
import type { LogRecord } from '../checker/log.js'
import { Random } from '../random.js'
import { climateOf } from './climate.js'
import { disturb } from './disturbances.js'
import { View } from './view.js'
import { VirtualTime } from './virtual-time.js'
import { type Instance, partitions, topic, World } from './world.js'

const clients = 4
const operationsEach = 30

/** A history and its judgement. */
export interface Played {
  readonly seed: number
  readonly verdict: Verdict
  readonly operations: readonly Operation[]
  readonly log: readonly LogRecord[]
  /** What went wrong and when, a line each. */
  readonly story: readonly string[]
  readonly steps: number
  readonly instances: number
}

/** Plays the history of a seed. `create` is the event store under test. */
export async function playHistory(seed: number, create: typeof kafkaEventStore): Promise<Played> {
  const random = new Random(seed)
  const time = new VirtualTime(random)
  const world = new World(time, random, climateOf(random), create)
  world.tell(JSON.stringify(world.climate))
  const verdict = await time.govern(() => play(world)).catch((error: unknown) => crashed(error))
  const { operations, story, cluster } = world
  return { seed, verdict, operations, log: cluster.readLog(), story, steps: time.steps, instances: world.opened }
}

async function play(world: World): Promise<Verdict> {
  const { time, random, climate, cluster } = world
  while ((await world.open()) === undefined) {}
  const view = new View(world)
  const following = view.run()
  let working = clients
  const client = async (name: string) => {
    for (let n = 0; n < operationsEach; n++) {
      await time.sleep(random.next() * climate.pace)
      await act(world, name)
    }
    working--
  }
  const trouble = disturb(world, () => working > 0)
  await Promise.all([...Array.from({ length: clients }, (_, n) => client(`c${n}`)), trouble])

  // Healing: the weather turns fair, and what is still on its way arrives.
  Object.assign(world.weather, { lostRequest: 0, lostAnswer: 0, late: 0 })
  world.cutOff.clear()
  await time.sleep(30_000)
  for (const partition of cluster.all()) partition.replicate()
  const at = time.now
  world.tell('healed')
  await world.open()
  for (const streamId of healing) await insist(world, streamId)
  for (const partition of cluster.all()) partition.replicate()
  const log = cluster.readLog()
  const ends = Object.fromEntries(
    Array.from({ length: partitions }, (_, n) => [`${topic}/${n}`, cluster.partition(topic, n).highWatermark]),
  )
  const dumps = [await view.dump(ends), await replicas(world, ends)]
  await following
  const healed = { at, partitions: Array.from({ length: partitions }, (_, n) => `${topic}/${n}`) }
  const { violations, facts } = checkHistory({
    ...{ operations: world.operations, log, dumps, healed },
    fenced: !climate.forgetful,
  })
  const hung = world.hung.map((operation) => ({
    ...{ rule: 'answered', promise: 'every caller is answered in the time it was promised' },
    ...{ says: `${operation.instance} never answered`, shown: [operation] },
  }))
  return { violations: [...violations, ...hung], facts }
}

/** Streams in every partition, for the writes after healing. */
const healing = Array.from({ length: 8 }, (_, n) => `order-healed-${n}`)

async function act(world: World, client: string): Promise<void> {
  const { random, time, climate } = world
  const streamId = `order-${random.between(0, climate.streams - 1)}`
  const instance = world.anyFor(streamId)
  if (instance === undefined) return
  if (random.chance(0.2)) return world.read(client, instance, streamId)
  const expectedVersion = random.chance(0.4) ? ('any' as const) : guess(world, streamId)
  const command = { streamId, commandId: random.uuid(), expectedVersion }
  let told = await world.append(client, instance, command)
  for (let again = 0; again < 3; again++) {
    const unsure = told.outcome.told === 'unknown' || told.outcome.told === 'refused'
    if (!random.chance(unsure ? 0.7 : 0.05)) return
    await time.sleep(random.next() * climate.pace)
    const other = world.anyFor(streamId)
    if (other === undefined) return
    told = await world.append(client, other, command)
  }
}

/** The version somebody who reads what was acknowledged would expect, or one nearby. */
function guess({ operations, random }: World, streamId: string): number {
  let version = 0
  for (const operation of operations) {
    if (operation.kind !== 'append' || operation.streamId !== streamId) continue
    if (operation.outcome.told === 'appended') version = Math.max(version, operation.outcome.version)
    else if (operation.outcome.told === 'conflict') version = Math.max(version, operation.outcome.actualVersion)
  }
  return Math.max(0, version + (random.chance(0.15) ? random.between(-1, 1) : 0))
}

/** Writes to a stream after healing, wherever its owner is; gives up after two minutes. */
async function insist(world: World, streamId: string): Promise<void> {
  const { time, random } = world
  const commandId = random.uuid()
  for (const begun = time.now; time.now < begun + 120_000; await time.sleep(200)) {
    const instance = world.anyFor(streamId)
    if (instance === undefined) await world.open()
    else {
      const { outcome } = await world.append('healer', instance, { streamId, commandId, expectedVersion: 'any' })
      if (outcome.told === 'appended') return
    }
  }
}

/** Every stream as its owner has it. */
async function replicas(world: World, offsets: Readonly<Record<string, number>>): Promise<Dump> {
  const { time, operations } = world
  const streams: Record<string, string[]> = {}
  const read = async ({ name, store }: Instance, streamId: string) => {
    const ids: string[] = []
    await time.ask(name, async () => {
      for await (const event of store.eventStore.read(streamId)) ids.push(event.id)
    })
    if (ids.length > 0) streams[streamId] = ids
  }
  for (const streamId of new Set(operations.map((operation) => operation.streamId))) {
    for (let attempt = 0; attempt < 200; attempt++) {
      const instance = world.anyFor(streamId)
      const done = instance && (await read(instance, streamId).then(() => true, refused))
      if (done) break
      await time.sleep(200)
    }
  }
  return { name: 'the replicas', offsets, streams }
}

/** Not the owner, or not any more: another one is. */
function refused(error: unknown): boolean {
  if (isNarrativeError(error)) return false
  throw error
}

function crashed(error: unknown): Verdict {
  const says = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const violation: Violation = { rule: 'crash', promise: 'nothing fails that nobody foresaw', says, shown: [] }
  const facts = checkHistory({ operations: [], log: [] }).facts
  return { violations: [violation], facts }
}
