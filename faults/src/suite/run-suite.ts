// The fault suite: three brokers, three service instances with a proxy before each broker, clients, and one fault after
// another; in the end the checker.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@narrative/core'
import { type KafkaProxy, kafkaProxy, startKafka, uniqueName } from '@narrative/testing'
import { checkHistory } from '../checker/check-history.js'
import { formatHistory } from '../checker/history.js'
import { readLog } from '../checker/read-log.js'
import { Random } from '../random.js'
import { Service } from './service.js'
import { ServiceClients } from './service-clients.js'
import { suiteFaults } from './suite-faults.js'

const size = 3
const partitions = 6
const sessionTimeout = 6_000
/** Far more than any fault's healing may take. */
const patience = 90_000
const streams = Array.from({ length: 60 }, (_, n) => `order-${n}`)

const line = (facts: object) => void process.stdout.write(`${JSON.stringify(facts)}\n`)
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Runs for so long; false when a promise was broken. */
export async function runSuite(milliseconds: number, seed: number): Promise<boolean> {
  const random = new Random(seed)
  const proxies: KafkaProxy[][] = []
  for (let way = 0; way < size; way++) {
    proxies.push(await Promise.all(Array.from({ length: size }, () => kafkaProxy())))
  }
  const proxyPorts = proxies.map((way) => way.map((proxy) => proxy.port))
  const cluster = await startKafka({ nodes: 3, proxyPorts }, silentLogger)
  proxies.forEach((way, at) => {
    way.forEach((proxy, node) => {
      proxy.forwardTo({ port: cluster.nodes[node]!.proxyTargets[at]! })
    })
  })
  const context = uniqueName()
  const topic = `${context}.order.events`
  const services = proxyPorts.map((ports, at) => {
    const brokers = ports.map((port) => `127.0.0.1:${port}`)
    return new Service({ name: `i${at + 1}`, brokers, context, partitions, sessionTimeout })
  })
  try {
    services[0]!.start()
    await until(() => services[0]!.ready)
    for (const service of services.slice(1)) service.start()
    await until(() => services.every((service) => service.ready))
    const clients = new ServiceClients(services, seed)
    clients.start(24, streams)
    const stage = { cluster, services, proxies, random, sessionTimeout }
    const begun = performance.now()
    let healed = begun
    let faults = 0
    let longest = 0
    const served = () => streams.every((streamId) => (clients.lastAcknowledged.get(streamId) ?? 0) > healed)
    await until(served)
    for (; performance.now() - begun < milliseconds; faults++) {
      const [name, harm] = random.pick(Object.entries(suiteFaults))
      const struck = performance.now()
      await harm(stage)
      healed = performance.now()
      for (const service of services) if (!service.running) service.start()
      await until(served)
      const healing = Math.round(performance.now() - healed)
      longest = Math.max(longest, healing)
      line({
        name: 'fault',
        fault: name,
        lasted: Math.round(healed - struck),
        healing,
        operations: clients.operations.length,
      })
    }
    await clients.stop()
    const held = await Promise.all(streams.map(async (id) => [id, await clients.readAnywhere(id)] as const))
    const log = await readLog(cluster.brokers, topic)
    const offsets: Record<string, number> = {}
    for (const { partition, offset } of log) offsets[`${topic}/${partition}`] = offset + 1
    const dumps = [{ name: 'the replicas', offsets, streams: Object.fromEntries(held) }]
    const healing = { at: healed, partitions: Array.from({ length: partitions }, (_, n) => `${topic}/${n}`) }
    const { operations } = clients
    // Conflicts are not asked for here; repeated commands are.
    const { violations, facts } = checkHistory({ operations, log, dumps, healed: healing, confirmed: false })
    for (const { rule, says } of violations.slice(0, 20)) line({ name: 'violation', rule, says })
    line({ name: 'faults', value: faults, seed, violations: violations.length, longestHealing: longest, ...facts })
    if (violations.length > 0) keep(seed, { operations: formatHistory(operations), log, violations })
    return violations.length === 0
  } finally {
    for (const service of services) {
      service.signal('SIGCONT')
      service.signal('SIGKILL')
    }
    await Promise.all([...proxies.flat().map((proxy) => proxy.close()), cluster.stop()])
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + patience; !condition(); await pause(20)) {
    if (performance.now() > end)
      throw new Error(`Not every stream took a write within ${patience / 1000} s of healing.`)
  }
}

/** What a failing run leaves to be looked at. */
function keep(seed: number, found: { operations: string; log: object; violations: object }): void {
  const directory = join('.narrative', 'faults', String(seed))
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'history.jsonl'), found.operations)
  writeFileSync(join(directory, 'log.json'), JSON.stringify(found.log))
  writeFileSync(join(directory, 'violations.json'), JSON.stringify(found.violations, undefined, 2))
  console.error(`Kept in ${directory}; the faults again: pnpm faults --seed ${seed}`)
}
