// A topic as Kafka's own console consumer reads it: a witness that shares no code with what is tested.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Logger, stderrLogger } from '@narrative/core'
import { kafkaRuntime } from './kafka-node.js'

/** A record as the console consumer prints it; key, value and header values as UTF-8. */
export interface TopicRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** What to read. */
export interface ReadTopicOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  /** By partition, where to end: the offset behind the last record that is wanted. Without those before it fails. */
  readonly ends: ReadonlyMap<number, number>
}

// Characters that occur in no key and no header of ours.
const field = '\u0001'
const header = '\u0002'

/**
 * Reads a topic without gaps from its beginning with Java's `kafka-console-consumer`, from the same jars as the brokers.
 *
 * @returns the records by partition, each partition in order
 */
export async function readTopic(options: ReadTopicOptions, logger: Logger = stderrLogger()): Promise<TopicRecord[]> {
  const { brokers, topic, ends } = options
  const wanted = [...ends.values()].reduce((sum, end) => sum + end, 0)
  if (wanted === 0) return []
  const { java, jars } = await kafkaRuntime(logger)
  const printed = ['partition', 'offset', 'headers', 'key', 'value'].map((name) => `print.${name}=true`)
  const properties = [...printed, `key.separator=${field}`, `headers.separator=${header}`]
  const args = [
    ...['-Xmx256m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', jars.classPath],
    ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers.join(','), '--topic', topic],
    ...['--from-beginning', '--timeout-ms', '60000'],
    ...properties.flatMap((property) => ['--property', property]),
  ]
  const program = spawn(java, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  program.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk
  })
  const found: TopicRecord[] = []
  for await (const line of createInterface({ input: program.stdout })) {
    const record = parse(line)
    if (record.offset >= (ends.get(record.partition) ?? 0)) continue // written meanwhile
    found.push(record)
    if (found.length === wanted) break
  }
  program.kill()
  if (found.length < wanted) {
    throw new Error(`The console consumer read ${found.length} of ${wanted} records of ${topic}.\n${complaints}`)
  }
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

function parse(line: string): TopicRecord {
  const [partition, offset, headers, key, value] = line.split(field)
  const number = (text: string | undefined, name: string) => {
    if (!text?.startsWith(`${name}:`)) throw new Error(`The console consumer wrote what was not expected: ${line}`)
    return Number(text.slice(name.length + 1))
  }
  const pairs = headers === 'NO_HEADERS' || headers === undefined ? [] : headers.split(header)
  return {
    partition: number(partition, 'Partition'),
    offset: number(offset, 'Offset'),
    key: key === undefined || key === 'null' ? null : key,
    value: value === undefined || value === 'null' ? null : value,
    headers: Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]),
    ),
  }
}
