// Fetch, version 11: partitions that one broker leads, without a fetch session, uncommitted records too.
import type { FramedRequest } from './broker-link.js'
import type { FetchRequest } from './kafka-driver.js'
import { requestFrame, writeText } from './request-frame.js'
import { WireReader } from './wire-reader.js'

/** What the leader answered about a partition. */
export interface FetchAnswer {
  readonly code: number
  readonly highWatermark: number
  /** Record batches, the last one possibly cut off. */
  readonly batches: Buffer
}

/** Frames a fetch. `timeout` is on top of the time the broker may wait. */
export function fetchRequest(requests: readonly FetchRequest[], clientId: string, timeout: number): FramedRequest {
  const maxWait = Math.min(...requests.map((request) => request.maxWait))
  // The sum: a broker fills partitions in turn, and a lower limit would starve the last ones.
  const maxBytes = requests.reduce((sum, request) => sum + request.maxBytes, 0)
  const size = requests.reduce((sum, { topic }) => sum + 2 + Buffer.byteLength(topic) + 36, 25 + 4 + 4 + 2)
  const header = { apiKey: 1, apiName: 'Fetch', apiVersion: 11, clientId, timeout: maxWait + timeout }
  return requestFrame(header, size, (frame, start) => {
    frame.writeInt32BE(-1, start) // replica: none, a client
    frame.writeInt32BE(maxWait, start + 4)
    frame.writeInt32BE(1, start + 8) // at least so many bytes
    frame.writeInt32BE(maxBytes, start + 12)
    frame[start + 16] = 0 // read uncommitted: events topics carry no transactions
    frame.writeInt32BE(0, start + 17) // session: none
    frame.writeInt32BE(-1, start + 21)
    frame.writeInt32BE(requests.length, start + 25)
    let at = start + 29
    for (const { topic, partition, offset, maxBytes } of requests) {
      at = writeText(frame, at, topic)
      frame.writeInt32BE(1, at)
      frame.writeInt32BE(partition, at + 4)
      frame.writeInt32BE(-1, at + 8) // leader epoch: not known
      frame.writeBigInt64BE(BigInt(offset), at + 12)
      frame.writeBigInt64BE(-1n, at + 20) // log start: a follower's business
      frame.writeInt32BE(maxBytes, at + 28)
      at += 32
    }
    frame.writeInt32BE(0, at) // nothing to forget
    frame.writeInt16BE(0, at + 4) // rack: none, so the leader answers
  })
}

/** Reads the answer. */
export function readFetchAnswer(bytes: Buffer): { throttle: number; of(request: FetchRequest): FetchAnswer } {
  const reader = new WireReader(bytes)
  const throttle = reader.int32()
  const code = reader.int16()
  reader.int32() // session
  const answers = new Map<string, FetchAnswer>()
  reader.array(() => {
    const topic = reader.text()
    reader.array(() => {
      const partition = reader.int32()
      const partitionCode = reader.int16()
      const highWatermark = reader.int64()
      reader.int64() // last stable offset
      reader.int64() // log start offset
      reader.array(() => [reader.int64(), reader.int64()]) // aborted transactions
      reader.int32() // preferred read replica
      answers.set(`${topic}/${partition}`, { code: code || partitionCode, highWatermark, batches: reader.view() })
    })
  })
  const none = { code, highWatermark: -1, batches: Buffer.alloc(0) }
  return { throttle, of: ({ topic, partition }) => answers.get(`${topic}/${partition}`) ?? none }
}
