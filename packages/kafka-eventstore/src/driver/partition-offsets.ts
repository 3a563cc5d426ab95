// Where a partition begins and ends, asked of its leader.
import type { ClusterClient } from './cluster-client.js'
import type { PartitionOffsets } from './kafka-driver.js'

const latest = -1
const earliest = -2
const readUncommitted = 0

/** Its first offset and its high watermark. */
export async function partitionOffsets(
  client: ClusterClient,
  topic: string,
  partition: number,
): Promise<PartitionOffsets> {
  const [start, end] = await Promise.all([earliest, latest].map((time) => offsetAt(client, topic, partition, time)))
  return { start: start!, end: end! }
}

/** Its high watermark; resolves only when the leader serves the partition. */
export function endOffset(client: ClusterClient, topic: string, partition: number): Promise<number> {
  return offsetAt(client, topic, partition, latest)
}

async function offsetAt(client: ClusterClient, topic: string, partition: number, timestamp: number): Promise<number> {
  const link = await client.control(await client.view.leader(topic, partition))
  const topics = [{ topic, partitions: [{ partition, timestamp }] }]
  const { responses } = await link.control('ListOffsets', { isolationLevel: readUncommitted, topics })
  const answer = responses[0].partitions[0]
  client.check(answer.errorCode)
  return Number(answer.offset)
}
