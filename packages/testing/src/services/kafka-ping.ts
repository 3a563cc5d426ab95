// Asks a Kafka address whether a broker is ready to work there, without a client library.
import { askKafka, endOfText } from './kafka-request.js'

/** Metadata for no topics: https://kafka.apache.org/protocol.html#The_Messages_Metadata */
const request = { apiKey: 3, version: 2, body: Buffer.alloc(4) }

/** A cluster as one of its brokers sees it. */
export interface SeenCluster {
  readonly id: string
  /** How many brokers are up. */
  readonly brokers: number
}

/**
 * The cluster at an address, once a broker there is ready; undefined until then.
 *
 * A broker opens its port before it is ready: only an answer that names a live broker counts.
 */
export async function kafkaCluster(host: string, port: number, timeout?: number): Promise<SeenCluster | undefined> {
  const answer = await askKafka(host, port, request, timeout)
  return answer && clusterIn(answer)
}

/** True when a broker is ready to work at the address. */
export async function kafkaAnswers(host: string, port: number, timeout?: number): Promise<boolean> {
  return (await kafkaCluster(host, port, timeout)) !== undefined
}

/** Each broker's id, host, port and rack, then the cluster's id. */
function clusterIn(answer: Buffer): SeenCluster | undefined {
  const brokers = answer.readInt32BE(0)
  let at = 4
  for (let broker = 0; broker < brokers; broker++) {
    at = endOfText(answer, at + 4)
    at = endOfText(answer, at + 4)
  }
  return brokers > 0 ? { id: answer.toString('utf8', at + 2, endOfText(answer, at)), brokers } : undefined
}
