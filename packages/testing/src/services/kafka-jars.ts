// The jars of a Kafka broker, fetched once by Maven into the cache and checked before each use.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { cacheDirectory, publish, withLock } from './cache-directory.js'
import { findMaven } from './java.js'
import { kafkaProperties } from './kafka-properties.js'
import { announced } from './progress.js'
import { complete } from './run-supervised.js'
import { SupervisedProcess } from './supervised-process.js'

/** The broker that tests run when neither an address nor Docker is at hand. */
export const kafkaVersion = '4.1.0'

/** A directory with a complete broker. */
export interface KafkaJars {
  /** For `java -cp`. */
  readonly classPath: string
  /** A freshly formatted data directory to copy: it saves a start of the JVM per broker. */
  readonly formatted: string
}

const artifacts = [
  ['org.apache.kafka', 'kafka_2.13', kafkaVersion],
  ['org.apache.kafka', 'kafka-tools', kafkaVersion],
  ['org.slf4j', 'slf4j-simple', '1.7.36'],
] as const
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const clusterId = 'bmFycmF0aXZlLXRlc3RzMQ'

const place = () => join(cacheDirectory(), `kafka-${kafkaVersion}`)

/** Whether the jars are in the cache, whole. */
export async function hasKafkaJars(): Promise<boolean> {
  return isWhole(place())
}

/**
 * The jars from the cache, else from Maven's repositories: about 54 MB, once.
 *
 * Several processes may ask at once; an interrupted download goes on where it was, since Maven keeps each finished file.
 */
export async function kafkaJars(java: string, logger: Logger): Promise<KafkaJars> {
  if (!(await isWhole(place()))) {
    const waiting = () => logger.info({}, `Another process downloads Kafka ${kafkaVersion}; waiting for it`)
    await withLock(`kafka-${kafkaVersion}`, waiting, async () => {
      if (await isWhole(place())) return
      await announced(logger, `Downloading Kafka ${kafkaVersion} (54 MB) to ${place()}`, 0, () => download(java))
    })
  }
  return { classPath: join(place(), 'jars', '*'), formatted: join(place(), 'formatted') }
}

async function download(java: string): Promise<void> {
  const maven = await findMaven()
  if ('missing' in maven) throw new Error(`the Kafka jars are not in ${place()} and there is ${maven.missing}`)
  await rm(place(), { recursive: true, force: true })
  // Supervised, so that a download whose owner dies ends, and takes its unfinished directory along.
  const service = await SupervisedProcess.open({ prefix: `${place()}.partial-`, stopSignal: 'SIGTERM' })
  try {
    const work = join(service.directory, 'kafka')
    const jars = join(work, 'jars')
    const formatted = join(work, 'formatted')
    await mkdir(formatted, { recursive: true })

    await writeFile(join(work, 'pom.xml'), pom())
    // -C: a file whose checksum does not fit is an error.
    const args = ['-B', '-q', '-C', '-f', join(work, 'pom.xml'), copyDependencies, `-DoutputDirectory=${jars}`]
    await complete(service, { command: maven.path, args })

    const properties = join(work, 'format.properties')
    await writeFile(properties, kafkaProperties({ dataDirectory: formatted, port: 9092, controllerPort: 9093 }))
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties]
    await complete(service, { command: java, args: ['-cp', join(jars, '*'), ...format] })

    await writeFile(join(work, 'jars.json'), JSON.stringify(await sizesOf(jars)))
    await publish(work, place())
  } finally {
    await service.close()
  }
}

async function isWhole(directory: string): Promise<boolean> {
  // Whatever cannot be read is not whole, and is made again.
  const expected = await readFile(join(directory, 'jars.json'), 'utf8').catch(() => undefined)
  if (expected === undefined) return false
  return JSON.stringify(await sizesOf(join(directory, 'jars')).catch(() => undefined)) === expected
}

async function sizesOf(directory: string): Promise<Record<string, number>> {
  const names = (await readdir(directory)).sort()
  const sizes = await Promise.all(names.map(async (name) => [name, (await stat(join(directory, name))).size] as const))
  return Object.fromEntries(sizes)
}

function pom(): string {
  const dependencies = artifacts.map(
    ([group, name, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>narrative</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
