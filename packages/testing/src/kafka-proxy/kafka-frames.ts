// Kafka's framing: a size, then for a request its api key, version and correlation id, for an answer the last alone.

/** Cuts a byte stream into whole frames, their size included. */
export class KafkaFrames {
  #rest: Buffer = Buffer.alloc(0)

  /** Takes what arrived and gives the frames it completed. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) break
      frames.push(bytes.subarray(at, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    return frames
  }
}

/** The requests a test may want to disturb, by name. */
export const kafkaApis = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  ApiVersions: 18,
  CreateTopics: 19,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
  DescribeConfigs: 32,
} as const

/** A name of {@link kafkaApis}. */
export type KafkaApi = keyof typeof kafkaApis

export const apiKeyOf = (request: Buffer): number => request.readInt16BE(4)
export const correlationOfRequest = (request: Buffer): number => request.readInt32BE(8)
export const correlationOfAnswer = (answer: Buffer): number => answer.readInt32BE(4)
