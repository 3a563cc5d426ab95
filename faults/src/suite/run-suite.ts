// The fault suite: a service on three brokers, clients, and one fault after another, then two at a time; in the end the
// checker judges what everybody was told by the log, and every copy by its fold.
import { rmSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { isNarrativeError } from '@narrative/core'
import { checkHistory, type Violation } from '../checker/check-history.js'
import { Random } from '../random.js'
import { GapMeter } from './gap-meter.js'
import { keepHistory, keepLines } from './kept.js'
import { until } from './pause.js'
import { Report } from './report.js'
import { schedule } from './schedule.js'
import { ServiceClients } from './service-clients.js'
import { type Stage, setStage } from './stage.js'
import { slowFaults, suiteFaults } from './suite-faults.js'
import { dumpAll, readMarkedLog } from './witnesses.js'

const partitions = 6
const sessionTimeout = 3_000
/** How often the history so far is judged: a long run ends soon after a promise was broken. */
const judgeEvery = 300_000
/** Far more than any fault's healing may take. */
const patience = 90_000

const line = (facts: object) => void process.stdout.write(`${JSON.stringify(facts)}\n`)

/** Strikes for so long; false when a promise was broken. */
export async function runSuite(milliseconds: number, seed: number): Promise<boolean> {
  const directory = join('.narrative', 'faults', String(seed))
  rmSync(directory, { recursive: true, force: true })
  line({
    name: 'faults.begin',
    seed,
    machine: machine(),
    partitions,
    sessionTimeout,
  })
  const stage = await setStage(directory, partitions, sessionTimeout)
  const meter = new GapMeter(partitions, performance.now())
  const clients = new ServiceClients(stage.services, stage.partitionOf, meter, seed)
  let passed = false
  try {
    passed = await play(stage, clients, meter, milliseconds, seed, directory)
  } catch (error) {
    line({ name: 'faults.failed', says: error instanceof Error ? error.message : String(error) })
    console.error(error)
  } finally {
    await clients.stop() // what goes on asking keeps this process alive
    if (passed) rmSync(directory, { recursive: true, force: true })
    else {
      keepHistory(directory, clients.operations)
      console.error(
        `Kept in ${directory}: what clients were told, what processes said. The same faults: --seed ${seed}`,
      )
    }
    await stage.close()
  }
  return passed
}

async function play(
  stage: Stage,
  clients: ServiceClients,
  meter: GapMeter,
  milliseconds: number,
  seed: number,
  directory: string,
): Promise<boolean> {
  const { services, worker, cluster, topic } = stage
  const processes = [...services, worker]
  // The first one makes the topics.
  services[0]!.start()
  await until(
    () => services[0]!.ready,
    patience,
    () => 'The first instance did not start.',
  )
  for (const process of processes) process.start()
  const allReady = () => processes.every((process) => process.ready)
  const notReady = () => `${processes.filter(({ ready }) => !ready).map(({ name }) => name)} did not start.`
  await until(allReady, patience, notReady)
  clients.start(partitions)

  const report = new Report(line)
  let healed = performance.now()
  const heal = async (processesToo: boolean) => {
    healed = performance.now()
    const silent = () => meter.silentSince(healed)
    const says = () => `Partitions ${silent()} took no write after healing.`
    await until(() => silent().length === 0, patience, says)
    if (processesToo) await until(allReady, patience, notReady)
    // The next faults may come while a process starts, but it must come to be ready some day.
    if (processes.some(({ notReadyFor }) => notReadyFor > patience)) throw new Error(notReady())
    return performance.now() - healed
  }
  await heal(true)
  const begun = performance.now()
  const elapsed = () => performance.now() - begun
  const random = new Random(seed)
  const names = Object.keys(suiteFaults)
  const soFar = async () => {
    const operations = [...clients.operations]
    return checkHistory({ operations, log: await readMarkedLog(cluster.brokers, topic) }).violations
  }
  let early: readonly Violation[] = []
  let judged = begun
  for (const faults of schedule(names, slowFaults, random, () => elapsed() < milliseconds / 2)) {
    if (elapsed() > milliseconds) break
    if (performance.now() - judged > judgeEvery) {
      early = await soFar()
      if (early.length > 0) break
      judged = performance.now()
    }
    const struckAt = performance.now()
    meter.reset(struckAt)
    const strikes = faults.map((name) => {
      const scene = { ...stage, clients, random: new Random(random.between(1, 2 ** 31)) }
      return suiteFaults[name]!(scene).catch((error: unknown) => {
        if (isNarrativeError(error, 'BROKER_UNREACHABLE')) return undefined // its partner took the brokers away
        throw error
      })
    })
    // When one of two fails, the other still puts right what it did: it would start a process that nobody ends.
    await Promise.allSettled(strikes)
    const struck = await Promise.all(strikes)
    const lasted = performance.now() - struckAt
    const healing = await heal(faults.length === 1)
    const gaps = meter.longest(performance.now())
    const happened = faults.flatMap((name, at) => (struck[at] === undefined ? [] : { name, struck: struck[at] }))
    report.strike({ at: struckAt - begun, happened, lasted, healing, gaps }, clients.acknowledged)
  }
  await heal(true)
  await clients.stop()

  const log = await readMarkedLog(cluster.brokers, topic)
  const { operations } = clients
  const healing = { at: healed, partitions: Array.from({ length: partitions }, (_, n) => `${topic}/${n}`) }
  const dumps = await dumpAll(stage, [...clients.versions.keys()], log)
  const { violations: late, facts } = checkHistory({ operations, log, dumps, healed: healing })
  const violations = late.length > 0 ? late : early
  const unforeseen = [...new Set(operations.flatMap(({ outcome }) => ('code' in outcome ? outcome.code : [])))].filter(
    (code) => code.startsWith('UNFORESEEN'),
  )
  for (const { rule, says } of violations.slice(0, 20)) line({ name: 'violation', rule, says })
  for (const says of unforeseen) line({ name: 'violation', rule: 'told-errors', says })
  report.totals()
  report.figures(facts, violations)
  const passed = violations.length === 0 && unforeseen.length === 0
  if (!passed) {
    keepLines(directory, 'log.jsonl', log)
    keepLines(directory, 'dumps.jsonl', dumps)
    keepLines(directory, 'violations.jsonl', violations)
  }
  return passed
}

function machine(): string {
  const [core] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${core?.model.trim() || 'unknown model'}), ${memory} GB memory, Node ${process.versions.node}`
}
