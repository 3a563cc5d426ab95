// Produce, version 8: one batch for one partition, acks=all, no transaction.
import type { FramedRequest } from './broker-link.js'
import type { RecordBatch } from './kafka-driver.js'
import { MeasuredBatch } from './record-batch-encoder.js'
import { requestFrame, writeText } from './request-frame.js'
import { WireReader } from './wire-reader.js'

/** What the leader answered. */
export interface ProduceAnswer {
  readonly code: number
  /** The broker's own words, where it has some. */
  readonly message: string | null
  readonly baseOffset: number
  readonly throttle: number
}

/** Frames a batch. The broker waits for its replicas a little less long than we wait for the broker. */
export function produceRequest(batch: RecordBatch, clientId: string, timeout: number): FramedRequest {
  const measured = new MeasuredBatch(batch)
  const topicSize = Buffer.byteLength(batch.topic)
  const fixed = 2 + 2 + 4 + 4 + 2 + topicSize + 4 + 4 + 4
  const header = { apiKey: 0, apiName: 'Produce', apiVersion: 8, clientId, timeout }
  return requestFrame(header, fixed + measured.size, (frame, start) => {
    frame.writeInt16BE(-1, start) // no transactional id: the batch carries the identity
    frame.writeInt16BE(-1, start + 2) // acks=all
    frame.writeInt32BE(Math.ceil(timeout * 0.9), start + 4)
    frame.writeInt32BE(1, start + 8)
    let at = writeText(frame, start + 12, batch.topic, topicSize)
    frame.writeInt32BE(1, at)
    frame.writeInt32BE(batch.partition, at + 4)
    frame.writeInt32BE(measured.size, at + 8)
    at += 12
    measured.writeTo(frame, at)
  })
}

/** Reads the answer for the one partition. */
export function readProduceAnswer(answer: Buffer): ProduceAnswer {
  const reader = new WireReader(answer)
  reader.int32() // one topic
  reader.text()
  reader.int32() // one partition
  reader.int32()
  const code = reader.int16()
  const baseOffset = reader.int64()
  reader.int64() // log append time
  reader.int64() // log start offset
  const recordErrors = reader.array(() => [reader.int32(), reader.text()] as const)
  const message = reader.text() ?? recordErrors[0]?.[1] ?? null
  return { code, message, baseOffset, throttle: reader.int32() }
}
