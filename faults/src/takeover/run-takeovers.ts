// `pnpm faults --takeovers`: an owner goes, many times over, and clients at the other instances measure what they feel of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@narrative/core'
import { type KafkaCluster, startKafka, uniqueName } from '@narrative/testing'
import { checkHistory } from '../checker/check-history.js'
import { partitionOf } from '../partition-of.js'
import { Random } from '../random.js'
import { GapMeter } from '../suite/gap-meter.js'
import { pause, until } from '../suite/pause.js'
import { Service } from '../suite/service.js'
import { ServiceClients } from '../suite/service-clients.js'
import { readMarkedLog } from '../suite/witnesses.js'
import type { TakeoverKind } from '../usage.js'
import { answersOnce } from './answers.js'
import { type Takeover, type TakeoverScene, takeoverNames, takeovers } from './takeovers.js'
import { zombies } from './zombies.js'

const instances = 3
const partitions = 6
/** The default of the event store. */
const sessionTimeout = 6_000
const patience = 90_000
/** Three kinds of zombies in each. */
const zombiePartitions = 40

const line = (facts: object) => void process.stdout.write(`${JSON.stringify(facts)}\n`)

/** Ways to go, and zombies; false when a limit was passed or a promise broken. */
export async function runTakeovers(names: readonly TakeoverKind[], times: number, seed: number): Promise<boolean> {
  const cluster = await startKafka({ nodes: 3 }, silentLogger)
  try {
    let fine = true
    const chosen = names.filter((name) => name !== 'zombies')
    if (chosen.length > 0) fine = await measure(cluster, chosen, times, seed)
    return names.includes('zombies') ? (await countZombies(cluster)) && fine : fine
  } finally {
    await cluster.stop()
  }
}

async function measure(
  cluster: KafkaCluster,
  names: readonly TakeoverKind[],
  times: number,
  seed: number,
): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'narrative-takeovers-'))
  const context = uniqueName()
  const topic = `${context}.order.events`
  const settings = { brokers: cluster.brokers, context, partitions, sessionTimeout }
  const services = Array.from({ length: instances }, (_, n) => {
    const name = `i${n + 1}`
    return new Service({ ...settings, name }, join(directory, `${name}.log`))
  })
  const meter = new GapMeter(partitions, performance.now())
  const clients = new ServiceClients(services, (streamId) => partitionOf(streamId, partitions), meter, seed)
  const scene = { cluster, services, topic, sessionTimeout, random: new Random(seed) }
  try {
    services[0]!.start() // the first one makes the topics
    await allReady(services.slice(0, 1))
    for (const service of services) service.start()
    await allReady(services)
    let fine = true
    if (names.includes('answers')) {
      const faults: string[] = []
      for (let n = 0; n < times; n++) {
        faults.push(...(await answersOnce(services, clients)))
        await allReady(services)
      }
      for (const says of faults) line({ name: 'violation', says })
      fine = faults.length === 0
      line({ name: 'takeover.answers', value: faults.length, limit: 0, ok: fine, times })
    }
    clients.start(partitions)
    for (const name of takeoverNames.filter((name) => names.includes(name))) {
      const gaps: number[] = []
      for (let n = 0; n < times; n++) gaps.push(await gapOf(takeovers[name], scene, meter))
      gaps.sort((a, b) => a - b)
      const at = (share: number) => Math.round(gaps[Math.ceil(share * gaps.length) - 1]!)
      const limit = takeovers[name].limit(sessionTimeout)
      const ok = at(0.99) <= limit
      line({
        name: `takeover.${name}.p99`,
        value: at(0.99),
        unit: 'ms',
        limit,
        ok,
        p50: at(0.5),
        longest: at(1),
        times,
      })
      fine &&= ok
    }
    await clients.stop()
    // What nobody waited for any more may still be carried out: the log is read when there is nobody left to write.
    await Promise.all(services.map((service) => service.kill()))
    const log = await readMarkedLog(cluster.brokers, topic)
    const { violations, facts } = checkHistory({ operations: clients.operations, log })
    for (const { rule, says } of violations.slice(0, 20)) line({ name: 'violation', rule, says })
    const { acknowledged, unknown, voids } = facts
    line({
      name: 'takeover.violations',
      value: violations.length,
      ok: violations.length === 0,
      acknowledged,
      unknown,
      voids,
    })
    return fine && violations.length === 0
  } finally {
    await Promise.all(services.map((service) => service.kill()))
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The longest time that any partition took no write, from the strike until each has taken one that was begun after it. */
async function gapOf(takeover: Takeover, scene: TakeoverScene, meter: GapMeter): Promise<number> {
  await quiet(scene.services, meter)
  meter.reset(performance.now())
  const mend = await takeover.strike(scene)
  const struck = performance.now()
  const silent = () => meter.silentSince(struck)
  await until(
    () => silent().length === 0,
    patience,
    () => `Partitions ${silent()} took no write for ${patience} ms.`,
  )
  const gap = Math.max(...meter.longest(performance.now()))
  await mend()
  return gap
}

/** All is well, and has been for a while: partitions that came back with an instance are where they will stay. */
async function quiet(services: readonly Service[], meter: GapMeter): Promise<void> {
  await allReady(services)
  let longest = Number.POSITIVE_INFINITY
  for (
    const end = performance.now() + patience;
    longest > 750;
    longest = Math.max(...meter.longest(performance.now()))
  ) {
    if (performance.now() > end) throw new Error('The service does not come to rest.')
    meter.reset(performance.now())
    await pause(2_000)
  }
}

function allReady(services: readonly Service[]): Promise<void> {
  const notReady = () => services.filter(({ ready }) => !ready).map(({ name }) => name)
  return until(
    () => notReady().length === 0,
    patience,
    () => `${notReady()} did not start.`,
  )
}

async function countZombies(cluster: KafkaCluster): Promise<boolean> {
  const { trials, fenced, accepted, violations } = await zombies(cluster, zombiePartitions)
  for (const says of violations.slice(0, 20)) line({ name: 'violation', says })
  const ok = accepted === 0 && fenced > 0 && violations.length === 0
  line({ name: 'zombies.accepted', value: accepted, limit: 0, ok, trials, fenced })
  return ok
}
