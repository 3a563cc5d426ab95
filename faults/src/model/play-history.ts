// One random history from one seed: instances that rival, clients that write and read, and whatever can go wrong.
import { isNarrativeError } from '@narrative/core'
import { checkHistory, type Verdict, type Violation } from '../checker/check-history.js'
import type { Dump } from '../checker/evidence.js'
import type { Operation } from '../checker/history.js'
import type { LogRecord } from '../checker/log.js'
import { Random } from '../random.js'
import { type Asked, Callers, idsOf } from './callers.js'
import { climateOf, type Disturbance } from './climate.js'
import { disturb } from './disturbances.js'
import type { Subject } from './subject.js'
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

/** Plays the history of a seed. */
export async function playHistory(seed: number, subject: Subject, often?: Disturbance): Promise<Played> {
  const random = new Random(seed)
  const time = new VirtualTime(random)
  const world = new World(time, random, climateOf(random, often), subject)
  world.tell(JSON.stringify(world.climate))
  const callers = new Callers(world)
  const verdict = await time.govern(() => play(world, callers)).catch((error: unknown) => crashed(error))
  const { story, cluster, opened: instances } = world
  const { operations } = callers
  return { seed, verdict, operations, log: cluster.readLog(topic), story, steps: time.steps, instances }
}

async function play(world: World, callers: Callers): Promise<Verdict> {
  const { time, random, climate, cluster } = world
  while ((await world.open()) === undefined) {}
  const view = new View(world)
  const following = view.run()
  let working = clients
  const client = async (name: string) => {
    for (let n = 0; n < operationsEach; n++) {
      await time.sleep(random.next() * climate.pace)
      await act(world, callers, name)
    }
    working--
  }
  const trouble = disturb(world, () => working > 0)
  await Promise.all([...Array.from({ length: clients }, (_, n) => client(`c${n}`)), trouble])

  // Healing: the weather turns fair, and what is still on its way arrives.
  Object.assign(world.weather, { lostRequest: 0, lostAnswer: 0, late: 0 })
  world.cutOff.clear()
  world.astray.clear()
  await time.sleep(30_000)
  for (const partition of cluster.all()) partition.replicate()
  const at = time.now
  world.tell('healed')
  await world.open()
  for (const streamId of healing) await insist(world, callers, streamId)
  for (const partition of cluster.all()) partition.replicate()
  const log = cluster.readLog(topic)
  const ends = Object.fromEntries(
    Array.from({ length: partitions }, (_, n) => [`${topic}/${n}`, cluster.partition(topic, n).highWatermark]),
  )
  const dumps = [await view.dump(ends), await replicas(world, callers, ends)]
  await following
  const healed = { at, partitions: Array.from({ length: partitions }, (_, n) => `${topic}/${n}`) }
  const { violations, facts } = checkHistory({
    ...{ operations: callers.operations, log, dumps, healed },
    fenced: !climate.forgetful,
  })
  const hung = callers.hung.map((operation) => ({
    ...{ rule: 'answered', promise: 'every caller is answered in the time it was promised' },
    ...{ says: `${operation.instance} never answered`, shown: [operation] },
  }))
  const late = world.late.map((says) => {
    return { rule: 'in-time', promise: 'an expired command is not carried out', says, shown: [] }
  })
  return { violations: [...violations, ...hung, ...late], facts }
}

/** Streams in every partition, for the writes after healing. */
const healing = Array.from({ length: 8 }, (_, n) => `order-healed-${n}`)

async function act(world: World, callers: Callers, client: string): Promise<void> {
  const { random, time, climate } = world
  const streamId = `order-${random.between(0, climate.streams - 1)}`
  const routed = random.chance(climate.routed)
  const any = () => (routed && random.chance(0.7) ? world.anyInstance() : world.anyFor(streamId))
  const instance = any()
  if (instance === undefined) return
  if (random.chance(0.2)) return void (await callers.read(client, instance, streamId, routed))
  const expectedVersion = random.chance(0.4) ? ('any' as const) : guess(callers, streamId, random)
  const asked: Asked = { streamId, commandId: random.uuid(), expectedVersion }
  const tell = (at: Instance) => (routed ? callers.command(client, at, asked) : callers.append(client, at, asked))
  let told = await tell(instance)
  for (let again = 0; again < 3; again++) {
    const unsure = told.outcome.told === 'unknown' || told.outcome.told === 'refused'
    if (!random.chance(unsure ? 0.7 : 0.05)) return
    // Who is refused waits for things to change, else all that is to be played is soon refused.
    await time.sleep(random.next() * (unsure ? 1_500 : climate.pace))
    const other = any()
    if (other === undefined) return
    told = await tell(other)
  }
}

/** The version somebody who reads what was acknowledged would expect, or one nearby. */
function guess({ operations }: Callers, streamId: string, random: Random): number {
  let version = 0
  for (const operation of operations) {
    if (operation.kind !== 'append' || operation.streamId !== streamId) continue
    if (operation.outcome.told === 'appended') version = Math.max(version, operation.outcome.version)
    else if (operation.outcome.told === 'conflict') version = Math.max(version, operation.outcome.actualVersion)
  }
  return Math.max(0, version + (random.chance(0.15) ? random.between(-1, 1) : 0))
}

/**
 * Writes to a stream after healing, wherever its owner is; gives up after two minutes. It reads first, as a command does: an append
 * alone would wake an owner that has fallen asleep.
 */
async function insist(world: World, callers: Callers, streamId: string): Promise<void> {
  const { time, random } = world
  const commandId = random.uuid()
  for (const begun = time.now; time.now < begun + 120_000; await time.sleep(200)) {
    const instance = world.anyFor(streamId)
    if (instance === undefined) await world.open()
    else if ((await callers.read('healer', instance, streamId, false)).told === 'events') {
      const { outcome } = await callers.append('healer', instance, { streamId, commandId, expectedVersion: 'any' })
      if (outcome.told === 'appended') return
    }
  }
}

/** Every stream as its owner has it. */
async function replicas(
  world: World,
  { operations }: Callers,
  offsets: Readonly<Record<string, number>>,
): Promise<Dump> {
  const { time } = world
  const streams: Record<string, string[]> = {}
  const read = async ({ name, app }: Instance, streamId: string) => {
    const ids = await time.ask(name, () => idsOf(app, streamId, false))
    if (ids.length > 0) streams[streamId] = ids
  }
  for (const streamId of new Set(operations.map((operation) => operation.streamId))) {
    for (let attempt = 0; attempt < 200; attempt++) {
      const instance = world.anyFor(streamId)
      const done = instance && (await read(instance, streamId).then(() => true, refused))
      if (done) break
      world.owners.delete(streamId) // any other may have it
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
