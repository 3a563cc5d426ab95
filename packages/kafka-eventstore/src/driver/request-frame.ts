// Frames for the requests that are encoded here: size, header, body, in one allocation.
import type { FramedRequest } from './broker-link.js'

/** Writes the body; `at` is where it starts. */
export type WriteBody = (target: Buffer, at: number) => void

/** Which request, and who sends it. */
export interface FrameHeader {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly clientId: string
  readonly timeout: number
}

/**
 * A request frame (header version 1). The correlation id is left for the connection to fill in.
 *
 * @param bodySize exact size of the body in bytes
 */
export function requestFrame(header: FrameHeader, bodySize: number, writeBody: WriteBody): FramedRequest {
  const { apiKey, apiName, apiVersion, timeout } = header
  const clientIdSize = Buffer.byteLength(header.clientId)
  const bodyAt = 14 + clientIdSize
  const frame = Buffer.allocUnsafe(bodyAt + bodySize)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt16BE(apiKey, 4)
  frame.writeInt16BE(apiVersion, 6)
  frame.writeInt32BE(0, 8)
  writeText(frame, 12, header.clientId, clientIdSize)
  writeBody(frame, bodyAt)
  return { apiKey, apiName, apiVersion, frame, timeout }
}

/** Writes a STRING and returns the offset after it. */
export function writeText(target: Buffer, at: number, text: string, size = Buffer.byteLength(text)): number {
  target.writeInt16BE(size, at)
  target.write(text, at + 2, 'utf8')
  return at + 2 + size
}
