// A Kafka broker of one's own from its published jars: it can be killed, restarted, proxied and asked for a password.
import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { freePort } from './free-port.js'
import { findJava } from './java.js'
import { kafkaJars } from './kafka-jars.js'
import { kafkaClusterId } from './kafka-ping.js'
import { type KafkaLayout, kafkaProperties } from './kafka-properties.js'
import { announced } from './progress.js'
import { onFreePorts, serve } from './run-supervised.js'
import { SupervisedProcess } from './supervised-process.js'

const host = '127.0.0.1'

/** What a broker of one's own is asked for. */
export interface KafkaBrokerOptions {
  /**
   * Port of a TCP proxy on 127.0.0.1. The broker gets one more listener that sends clients to that port; let the proxy
   * pass on to {@link KafkaBroker.proxyTarget}.
   */
  readonly proxyPort?: number
  /** One more listener, SASL_PLAINTEXT with PLAIN, that only this user passes. */
  readonly sasl?: { readonly username: string; readonly password: string }
  /** Server properties, such as `{ 'message.max.bytes': '100000' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A broker of one's own. */
export interface KafkaBroker {
  /** `host:port`, for clients without credentials. */
  readonly brokers: string[]
  /** Local jars: no other source lets a test kill the broker. */
  readonly source: 'local'
  /** Port of the listener behind the proxy, when `proxyPort` was given. */
  readonly proxyTarget: number | undefined
  /** `host:port` of the listener that asks for a password, when `sasl` was given. */
  readonly saslBrokers: string[] | undefined
  /** Ends the broker's process and resolves when it is gone; its data stays. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops the broker when it runs, starts it again on the same ports and data, and resolves when it answers. */
  restart(): Promise<void>
  /** Stops it for good and removes its data. */
  stop(): Promise<void>
}

/** Starts a broker; throws a plain sentence when this machine has not what it takes. */
export async function startLocalKafka(options: KafkaBrokerOptions, logger: Logger): Promise<KafkaBroker> {
  const java = await findJava()
  if ('missing' in java) throw new Error(java.missing)
  const jars = await kafkaJars(java.path, logger)
  const service = await SupervisedProcess.open({ prefix: join(tmpdir(), 'narrative-kafka-'), stopSignal: 'SIGKILL' })
  try {
    const properties = join(service.directory, 'server.properties')
    const dataDirectory = join(service.directory, 'data')
    const clusterId = await prepareData(jars.formatted, dataDirectory)
    const program = { command: java.path, args: [...jvmFlags, '-cp', jars.classPath, 'kafka.Kafka', properties] }
    // A broker of another run may sit on a port that seemed free: only this cluster's answer counts.
    const run = ({ port }: KafkaLayout) =>
      serve(service, program, async () => (await kafkaClusterId(host, port)) === clusterId)

    let [layout, running] = await onFreePorts(service, async () => {
      const layout = await layOut(options, dataDirectory)
      await writeFile(properties, kafkaProperties(layout))
      const starting = `Starting Kafka from its jars on ${host}:${layout.port}`
      return [layout, await announced(logger, starting, 8_000, () => run(layout))] as const
    })
    service.keepAlive(false)

    const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
      service.keepAlive(true)
      service.signal(signal)
      await running.ended
      service.keepAlive(false)
    }
    return {
      brokers: [`${host}:${layout.port}`],
      source: 'local',
      proxyTarget: layout.proxied?.port,
      saslBrokers: layout.sasl && [`${host}:${layout.sasl.port}`],
      kill,
      restart: async () => {
        await kill('SIGTERM')
        service.keepAlive(true)
        running = await run(layout)
        service.keepAlive(false)
      },
      stop: () => service.close(),
    }
  } catch (error) {
    await service.close()
    throw error
  }
}

/** Small, since tests run several; the serial collector is the quickest with so small a heap on few cores. */
const jvmFlags = ['-Xms192m', '-Xmx512m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']

async function layOut(options: KafkaBrokerOptions, dataDirectory: string): Promise<KafkaLayout> {
  return {
    dataDirectory,
    port: await freePort(),
    controllerPort: await freePort(),
    proxied: options.proxyPort === undefined ? undefined : { port: await freePort(), advertised: options.proxyPort },
    sasl: options.sasl && { port: await freePort(), ...options.sasl },
    settings: options.settings,
  }
}

/** A data directory like a freshly formatted one, of a cluster of its own; returns the cluster's id. */
async function prepareData(formatted: string, dataDirectory: string): Promise<string> {
  await cp(formatted, dataDirectory, { recursive: true })
  const clusterId = randomBytes(16).toString('base64url')
  const file = join(dataDirectory, 'meta.properties')
  const properties = await readFile(file, 'utf8')
  await writeFile(file, properties.replace(/^cluster\.id=.*$/m, `cluster.id=${clusterId}`))
  return clusterId
}
