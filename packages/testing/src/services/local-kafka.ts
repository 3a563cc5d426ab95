// A Kafka broker of one's own from its published jars: it can be killed, restarted, proxied and asked for a password.
import { cp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { freePort } from './free-port.js'
import { findJava } from './java.js'
import { kafkaJars } from './kafka-jars.js'
import { kafkaAnswers } from './kafka-ping.js'
import { type KafkaLayout, kafkaProperties } from './kafka-properties.js'
import { announced } from './progress.js'
import { type ProgramEnd, type RunningProgram, SupervisedProcess } from './supervised-process.js'
import { waitUntil } from './wait-until.js'

const host = '127.0.0.1'
const startTimeout = 60_000
const attempts = 5

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
    const run = async (layout: KafkaLayout) => {
      const running = await service.run({
        command: java.path,
        args: [...jvmFlags, '-cp', jars.classPath, 'kafka.Kafka', properties],
      })
      const end = await answersOrEnds(layout.port, running.ended)
      if (end === undefined) return running
      const how = end === 'timeout' ? `did not answer within ${startTimeout / 1000} s` : `ended (${describe(end)})`
      throw new Error(`the broker ${how}; its last words:\n${service.outputTail()}`)
    }

    await cp(jars.formatted, dataDirectory, { recursive: true })
    let layout: KafkaLayout
    let running: RunningProgram
    for (let attempt = 1; ; attempt++) {
      layout = await layOut(options, dataDirectory)
      await writeFile(properties, kafkaProperties(layout))
      try {
        running = await announced(logger, `Starting Kafka from its jars on ${host}:${layout.port}`, 8_000, () =>
          run(layout),
        )
        break
      } catch (error) {
        // Another process was quicker to bind one of the ports: the only failure that new ports can cure.
        if (attempt === attempts || !service.outputTail(200).includes('Address already in use')) throw error
      }
    }
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

async function answersOrEnds(port: number, ended: Promise<ProgramEnd>): Promise<ProgramEnd | 'timeout' | undefined> {
  const over = new AbortController()
  let end: ProgramEnd | undefined
  void ended.then((how) => {
    end = how
    over.abort()
  })
  if (await waitUntil(() => kafkaAnswers(host, port), startTimeout, over.signal)) return undefined
  return end ?? 'timeout'
}

const describe = ({ code, signal }: ProgramEnd) => (signal ? `by ${signal}` : `with exit code ${code}`)
