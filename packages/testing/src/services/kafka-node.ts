// One broker process from Kafka's jars, with its data: killed, frozen and started again by tests.
import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { findJava } from './java.js'
import { type KafkaJars, kafkaJars } from './kafka-jars.js'
import { kafkaCluster } from './kafka-ping.js'
import { type KafkaLayout, kafkaProperties } from './kafka-properties.js'
import { serve } from './run-supervised.js'
import { type RunningProgram, SupervisedProcess } from './supervised-process.js'

const host = '127.0.0.1'

/** What every broker here runs on. */
export interface KafkaRuntime {
  readonly java: string
  readonly jars: KafkaJars
}

/** Finds both; throws a plain sentence when this machine has not what it takes. */
export async function kafkaRuntime(logger: Logger): Promise<KafkaRuntime> {
  const java = await findJava()
  if ('missing' in java) throw new Error(java.missing)
  return { java: java.path, jars: await kafkaJars(java.path, logger) }
}

/** A random id as Kafka writes them. */
export const kafkaId = () => randomBytes(16).toString('base64url')

export class LocalKafkaNode {
  readonly service: SupervisedProcess
  readonly #runtime: KafkaRuntime
  readonly #clusterId: string
  readonly #heap: string
  #layout: KafkaLayout | undefined
  #running: RunningProgram | undefined

  /** Makes its directory. `heap` is the most it may take, such as `512m`. */
  static async open(runtime: KafkaRuntime, clusterId: string, heap: string): Promise<LocalKafkaNode> {
    const service = await SupervisedProcess.open({ prefix: join(tmpdir(), 'narrative-kafka-'), stopSignal: 'SIGKILL' })
    return new LocalKafkaNode(service, runtime, clusterId, heap)
  }

  private constructor(service: SupervisedProcess, runtime: KafkaRuntime, clusterId: string, heap: string) {
    this.service = service
    this.#runtime = runtime
    this.#clusterId = clusterId
    this.#heap = heap
  }

  get dataDirectory(): string {
    return join(this.service.directory, 'data')
  }

  /**
   * Starts it for the first time, on a data directory like a freshly formatted one; resolves when it answers and sees
   * so many brokers.
   */
  async start(layout: KafkaLayout, brokers: number): Promise<void> {
    this.#layout = layout
    await cp(this.#runtime.jars.formatted, this.dataDirectory, { recursive: true })
    const file = join(this.dataDirectory, 'meta.properties')
    const properties = await readFile(file, 'utf8')
    await writeFile(
      file,
      properties
        .replace(/^cluster\.id=.*$/m, `cluster.id=${this.#clusterId}`)
        .replace(/^directory\.id=.*$/m, `directory.id=${kafkaId()}`)
        .replace(/^node\.id=.*$/m, `node.id=${layout.cluster?.node ?? 1}`),
    )
    await writeFile(this.#properties, kafkaProperties(layout))
    await this.#run(layout, brokers)
    this.service.keepAlive(false)
  }

  /** Ends the process and resolves when it is gone; a frozen one is woken for it. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.service.keepAlive(true)
    this.service.signal(signal)
    this.service.signal('SIGCONT') // whatever is not SIGKILL waits until then
    await this.#running?.ended
    this.service.keepAlive(false)
  }

  /** Freezes it: its connections stay, and nobody answers. */
  pause(): void {
    this.service.signal('SIGSTOP')
  }

  resume(): void {
    this.service.signal('SIGCONT')
  }

  /** Stops it when it runs, starts it on the same ports and data, and resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM')
    this.service.keepAlive(true)
    await this.#run(this.#layout!, 1)
    this.service.keepAlive(false)
  }

  /** Ends it for good and removes its data. */
  close(): Promise<void> {
    return this.service.close()
  }

  get #properties(): string {
    return join(this.service.directory, 'server.properties')
  }

  async #run({ port }: KafkaLayout, brokers: number): Promise<void> {
    const { java, jars } = this.#runtime
    const args = [...jvmFlags, `-Xmx${this.#heap}`, '-cp', jars.classPath, 'kafka.Kafka', this.#properties]
    // A broker of another run may sit on a port that seemed free: only this cluster's answer counts.
    this.#running = await serve(this.service, { command: java, args }, async () => {
      const cluster = await kafkaCluster(host, port)
      return cluster?.id === this.#clusterId && cluster.brokers >= brokers
    })
  }
}

/** Small, since tests run several; the serial collector is the quickest with so small a heap on few cores. */
const jvmFlags = ['-Xms192m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
