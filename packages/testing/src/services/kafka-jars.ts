// The jars of a Kafka broker, fetched once by Maven into the cache and checked before each use.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { cacheDirectory, publish, withLock } from './cache-directory.js'
import { findMaven } from './java.js'
import { kafkaProperties } from './kafka-properties.js'
import { announced } from './progress.js'
import { runProgram } from './run-program.js'

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
  const work = await mkdtemp(`${place()}.partial-`)
  try {
    const jars = join(work, 'jars')
    await writeFile(join(work, 'pom.xml'), pom())
    // -C: a file whose checksum does not fit is an error.
    const args = ['-B', '-q', '-C', '-f', join(work, 'pom.xml'), copyDependencies, `-DoutputDirectory=${jars}`]
    const copied = await runProgram(maven.path, args, 20 * 60_000)
    if (copied.code !== 0) throw new Error(`Maven could not fetch the Kafka jars: ${lastLines(copied.output)}`)
    await format(java, work)
    const sizes = await sizesOf(jars)
    await writeFile(join(work, 'jars.json'), JSON.stringify(sizes))
    await publish(work, place())
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** `kafka-storage format`, once, for all brokers that will start from a copy. */
async function format(java: string, work: string): Promise<void> {
  const properties = join(work, 'format.properties')
  await mkdir(join(work, 'formatted'))
  await writeFile(
    properties,
    kafkaProperties({ dataDirectory: join(work, 'formatted'), port: 9092, controllerPort: 9093 }),
  )
  const tool = ['-cp', join(work, 'jars', '*'), 'kafka.tools.StorageTool']
  const formatted = await runProgram(java, [...tool, 'format', '-t', clusterId, '-c', properties], 60_000)
  if (formatted.code !== 0) throw new Error(`The downloaded Kafka does not work: ${lastLines(formatted.output)}`)
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

const lastLines = (output: string) => output.trim().split('\n').slice(-8).join('\n')
