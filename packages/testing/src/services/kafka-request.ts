// One request to a broker and its answer, as bytes: what tests ask of a broker needs no client library.
import { connect } from 'node:net'

/** A request by the protocol: https://kafka.apache.org/protocol.html */
export interface KafkaRequest {
  readonly apiKey: number
  readonly version: number
  /** Whether this version of it has tagged fields. */
  readonly flexible?: boolean
  /** What follows the header. */
  readonly body: Buffer
}

/** The answer behind its size and correlation id; undefined when there is none in time. */
export function askKafka(host: string, port: number, request: KafkaRequest, timeout = 1_000) {
  return new Promise<Buffer | undefined>((resolve) => {
    const socket = connect({ host, port, timeout })
    let answer = Buffer.alloc(0)
    const finish = (body?: Buffer) => {
      socket.destroy()
      resolve(body)
    }
    socket.once('connect', () => socket.write(frame(request)))
    for (const event of ['timeout', 'error', 'close']) socket.once(event, () => finish())
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) finish(answer.subarray(8))
    })
  })
}

function frame({ apiKey, version, flexible = false, body }: KafkaRequest): Buffer {
  const head = Buffer.alloc(12)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(1, 8) // correlation id: one request is all there is
  const parts = [head, text('narrative'), ...(flexible ? [Buffer.of(0)] : []), body]
  head.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0) - 4)
  return Buffer.concat(parts)
}

/** A text is its length in two bytes, -1 for none, and its bytes. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const size = Buffer.alloc(2)
  size.writeInt16BE(bytes.length)
  return Buffer.concat([size, bytes])
}

/** Where a text that begins here ends. */
export const endOfText = (answer: Buffer, at: number) => at + 2 + Math.max(0, answer.readInt16BE(at))
