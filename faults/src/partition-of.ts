// Where Kafka's own clients would put a stream: the independent word on which partition it is in.
import kafkajs from 'kafkajs'

const partitioner = kafkajs.Partitioners.DefaultPartitioner()

/** The partition of a stream in a topic of so many. */
export function partitionOf(streamId: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => {
    return { partitionErrorCode: 0, partitionId, leader: 1, replicas: [], isr: [] }
  })
  return partitioner({ topic: '', partitionMetadata, message: { key: streamId, value: '' } })
}

/** For each partition a stream that lives there. */
export function streamInEach(partitions: number): string[] {
  const streams: string[] = []
  for (let n = 0, found = 0; found < partitions; n++) {
    const streamId = `order-${n}`
    const partition = partitionOf(streamId, partitions)
    if (streams[partition] !== undefined) continue
    streams[partition] = streamId
    found++
  }
  return streams
}
