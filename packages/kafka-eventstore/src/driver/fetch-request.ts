// Fetch, version 11: one partition, without a fetch session, uncommitted records too.
import type { FramedRequest } from './broker-link.js'
import type { FetchRequest } from './kafka-driver.js'
import { requestFrame, writeText } from './request-frame.js'
import { WireReader } from './wire-reader.js'

/** What the leader answered. */
export interface FetchAnswer {
  readonly code: number
  readonly highWatermark: number
  readonly throttle: number
  /** Record batches, the last one possibly cut off. */
  readonly batches: Buffer
}

/** Frames a fetch. `timeout` is on top of the time the broker may wait. */
export function fetchRequest(request: FetchRequest, clientId: string, timeout: number): FramedRequest {
  const { maxBytes, maxWait, offset, partition, topic } = request
  const topicSize = Buffer.byteLength(topic)
  const header = { apiKey: 1, apiName: 'Fetch', apiVersion: 11, clientId, timeout: maxWait + timeout }
  return requestFrame(header, 25 + 4 + 2 + topicSize + 4 + 28 + 4 + 2, (frame, start) => {
    frame.writeInt32BE(-1, start) // replica: none, a client
    frame.writeInt32BE(maxWait, start + 4)
    frame.writeInt32BE(1, start + 8) // at least so many bytes
    frame.writeInt32BE(maxBytes, start + 12)
    frame[start + 16] = 0 // read uncommitted: events topics carry no transactions
    frame.writeInt32BE(0, start + 17) // session: none
    frame.writeInt32BE(-1, start + 21)
    frame.writeInt32BE(1, start + 25)
    let at = writeText(frame, start + 29, topic, topicSize)
    frame.writeInt32BE(1, at)
    frame.writeInt32BE(partition, at + 4)
    frame.writeInt32BE(-1, at + 8) // leader epoch: not known
    frame.writeBigInt64BE(BigInt(offset), at + 12)
    frame.writeBigInt64BE(-1n, at + 20) // log start: a follower's business
    frame.writeInt32BE(maxBytes, at + 28)
    at += 32
    frame.writeInt32BE(0, at) // nothing to forget
    frame.writeInt16BE(0, at + 4) // rack: none, so the leader answers
  })
}

/** Reads the answer for the one partition. */
export function readFetchAnswer(answer: Buffer): FetchAnswer {
  const reader = new WireReader(answer)
  const throttle = reader.int32()
  const code = reader.int16()
  reader.int32() // session
  if (reader.int32() === 0) return { code, throttle, highWatermark: -1, batches: Buffer.alloc(0) }
  reader.text()
  reader.int32() // one partition
  reader.int32()
  const partitionCode = reader.int16()
  const highWatermark = reader.int64()
  reader.int64() // last stable offset
  reader.int64() // log start offset
  reader.array(() => [reader.int64(), reader.int64()]) // aborted transactions
  reader.int32() // preferred read replica
  return { code: code || partitionCode, throttle, highWatermark, batches: reader.view() }
}
