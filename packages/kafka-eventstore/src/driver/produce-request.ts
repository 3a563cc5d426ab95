// Produce, version 8: one batch per partition, acks=all, no transaction.
import { ConnectionFailure } from './broker-failure.js'
import type { FramedRequest } from './broker-link.js'
import type { RecordBatch } from './kafka-driver.js'
import type { MeasuredBatch } from './record-batch-encoder.js'
import { requestFrame, writeText } from './request-frame.js'
import { WireReader } from './wire-reader.js'

/** What the leader answered about a batch. */
export interface ProduceAnswer {
  readonly code: number
  /** The broker's own words, where it has some. */
  readonly message: string | null
  readonly baseOffset: number
}

/** Frames batches. The broker waits for its replicas a little less long than we wait for the broker. */
export function produceRequest(batches: readonly MeasuredBatch[], clientId: string, timeout: number): FramedRequest {
  const topics = new Map<string, MeasuredBatch[]>()
  for (const measured of batches) {
    const row = topics.get(measured.batch.topic)
    if (row === undefined) topics.set(measured.batch.topic, [measured])
    else row.push(measured)
  }
  let size = 2 + 2 + 4 + 4
  for (const topic of topics.keys()) size += 2 + Buffer.byteLength(topic) + 4
  for (const measured of batches) size += 4 + 4 + measured.size
  const header = { apiKey: 0, apiName: 'Produce', apiVersion: 8, clientId, timeout }
  return requestFrame(header, size, (frame, start) => {
    frame.writeInt16BE(-1, start) // no transactional id: each batch carries its identity
    frame.writeInt16BE(-1, start + 2) // acks=all
    frame.writeInt32BE(Math.ceil(timeout * 0.9), start + 4)
    frame.writeInt32BE(topics.size, start + 8)
    let at = start + 12
    for (const [topic, row] of topics) {
      at = writeText(frame, at, topic)
      frame.writeInt32BE(row.length, at)
      at += 4
      for (const measured of row) {
        frame.writeInt32BE(measured.batch.partition, at)
        frame.writeInt32BE(measured.size, at + 4)
        measured.writeTo(frame, at + 8)
        at += 8 + measured.size
      }
    }
  })
}

/**
 * Reads the answer. What cannot be read, or is left out, leaves a batch unknown.
 *
 * @throws ConnectionFailure when it cannot be read
 */
export function readProduceAnswer(bytes: Buffer): { throttle: number; of(batch: RecordBatch): ProduceAnswer } {
  const reader = new WireReader(bytes)
  const answers = new Map<string, ProduceAnswer>()
  try {
    reader.array(() => {
      const topic = reader.text()
      reader.array(() => {
        const partition = reader.int32()
        const code = reader.int16()
        const baseOffset = reader.int64()
        reader.int64() // log append time
        reader.int64() // log start offset
        const recordErrors = reader.array(() => [reader.int32(), reader.text()] as const)
        const message = reader.text() ?? recordErrors[0]?.[1] ?? null
        answers.set(`${topic}/${partition}`, { code, message, baseOffset })
      })
    })
    const throttle = reader.int32()
    return { throttle, of: ({ topic, partition }) => answers.get(`${topic}/${partition}`) ?? unanswered }
  } catch (error) {
    throw new ConnectionFailure(true, 'The answer to Produce cannot be read', error)
  }
}

const unknownServerError = -1
const unanswered = { code: unknownServerError, message: 'the broker left it out of its answer', baseOffset: -1 }
