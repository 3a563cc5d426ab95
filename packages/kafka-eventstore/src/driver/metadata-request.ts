// Metadata, version 7: the brokers, and who leads the partitions of some topics. kafkajs' own cannot ask for no topic.
import type { BrokerAddress } from './broker-address.js'
import type { FramedRequest } from './broker-link.js'
import { requestFrame, writeText } from './request-frame.js'
import { WireReader } from './wire-reader.js'

/** A partition; `leader` is -1 while there is none. */
export interface PartitionMetadata {
  readonly partition: number
  readonly leader: number
  /** Goes up with each change of leader. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
}

/** A topic, or the code that says why there is nothing about it. */
export interface TopicMetadata {
  readonly code: number
  readonly name: string
  readonly partitions: readonly PartitionMetadata[]
}

/** What one broker knows of the cluster. */
export interface ClusterMetadata {
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  readonly controllerId: number
  readonly topics: readonly TopicMetadata[]
}

/** Frames a question for these topics; none are created by asking. */
export function metadataRequest(topics: readonly string[], clientId: string, timeout: number): FramedRequest {
  const size = topics.reduce((sum, topic) => sum + 2 + Buffer.byteLength(topic), 4 + 1)
  const header = { apiKey: 3, apiName: 'Metadata', apiVersion: 7, clientId, timeout }
  return requestFrame(header, size, (frame, start) => {
    frame.writeInt32BE(topics.length, start)
    let at = start + 4
    for (const topic of topics) at = writeText(frame, at, topic)
    frame[at] = 0 // no creation
  })
}

/** Reads the answer. */
export function readMetadataAnswer(answer: Buffer): ClusterMetadata {
  const reader = new WireReader(answer)
  const ids = () => reader.array(() => reader.int32())
  reader.int32() // throttle: metadata is rare
  const brokers = new Map<number, BrokerAddress>()
  reader.array(() => {
    brokers.set(reader.int32(), { host: reader.text()!, port: reader.int32() })
    reader.text() // rack
  })
  reader.text() // cluster id
  const controllerId = reader.int32()
  const topics = reader.array((): TopicMetadata => {
    const code = reader.int16()
    const name = reader.text()!
    reader.int8() // internal
    const partitions = reader.array((): PartitionMetadata => {
      reader.int16() // code: a missing leader says it
      const partition = reader.int32()
      const leader = reader.int32()
      const leaderEpoch = reader.int32()
      const replicas = ids()
      ids() // in sync
      ids() // offline
      return { partition, leader, leaderEpoch, replicas }
    })
    return { code, name, partitions }
  })
  return { brokers, controllerId, topics }
}
