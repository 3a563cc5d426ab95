// Takes a partition: a producer identity above all earlier ones, and a record in the log that says so.
import { randomUUID } from 'node:crypto'
import type { KafkaDriver, ProduceOutcome, ProducerIdentity } from './driver/kafka-driver.js'
import { encodeClaim } from './record-codec.js'

/** Who claims what. */
export interface ClaimRequest {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  /** Partitions of the topic; recorded in the claim. */
  readonly partitions: number
  readonly clientId: string
  /** Milliseconds since 1970 UTC. */
  readonly time: number
}

/** A claim that is in the log. The partition is not served before it has been read up to here. */
export interface Claim {
  readonly id: string
  readonly identity: ProducerIdentity
  readonly offset: number
}

/**
 * InitProducerId, then the claim record as a plain idempotent batch: no transaction.
 *
 * The claim id is fresh each time and handed to `announce` before anything is sent, so that a claim record of ours
 * whose answer was lost is never taken for somebody else's.
 * @returns the claim, or what became of its record when it is not surely in the log
 * @throws the driver's errors of InitProducerId
 */
export async function claimPartition(
  request: ClaimRequest,
  announce: (claimId: string) => void,
): Promise<Claim | Exclude<ProduceOutcome, { outcome: 'done' }>> {
  const { driver, topic, partition, partitions, clientId, time } = request
  const identity = await driver.initProducerId(`${topic}-${partition}`)
  const id = randomUUID()
  announce(id)
  const record = encodeClaim(id, partitions, clientId, new Date(time).toISOString())
  const outcome = await driver.produce({ topic, partition, identity, sequence: 0, time, records: [record] })
  return outcome.outcome === 'done' ? { id, identity, offset: outcome.baseOffset } : outcome
}
