// The log file: frames, only ever appended, each checked when the file is read from its middle or its beginning.
import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { decodeFrame, type Frame, frameLength, holds, recordHead } from './record-codec.js'

const writeAt = promisify(write)
const syncData = promisify(fdatasync)
const chunkSize = 1024 * 1024

/** What follows the frames that hold. */
export type Tail = 'clean' | 'torn' | 'corrupt'

export class RecordFile {
  #fd: number
  /** Where the next frame goes. */
  #end: number
  readonly #guess = Buffer.allocUnsafe(2048)

  constructor(path: string) {
    this.#fd = openSync(path, 'a+')
    this.#end = fstatSync(this.#fd).size
  }

  get end(): number {
    return this.#end
  }

  /**
   * Adds frames made for {@link RecordFile.end}.
   * @throws what the file system said: then part of them may be there, behind the end
   */
  async append(frames: readonly Buffer[], sync: boolean): Promise<void> {
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames)
    for (let done = 0; done < bytes.length; ) {
      // Opened for appending: the system puts it at the end, which nobody else moves.
      done += (await writeAt(this.#fd, bytes, done, bytes.length - done, null)).bytesWritten
    }
    if (sync) await syncData(this.#fd)
    this.#end += bytes.length
  }

  /** Drops whatever follows this place. */
  cut(place: number): void {
    ftruncateSync(this.#fd, place)
    this.#end = place
  }

  /** The record that begins at a place, a copy; undefined when what is there was not written there. */
  record(place: number): Buffer | undefined {
    const guess = this.#guess
    const read = readSync(this.#fd, guess, 0, guess.length, place)
    const length = read < recordHead ? 0 : guess.readUInt32BE(0)
    if (length < recordHead || place + length > this.#end) return undefined
    const bytes = Buffer.allocUnsafe(length)
    guess.copy(bytes, 0, 0, Math.min(read, length))
    if (length > read) this.#fill(bytes, read, place + read)
    return holds(bytes, place) ? bytes : undefined
  }

  /** The frames from a place on, up to `end`; what stopped it tells the return value. */
  *frames(from: number, end = this.#end): Generator<Frame, { place: number; tail: Tail }> {
    let chunk: Buffer = Buffer.alloc(0)
    let chunkPlace = from
    let place = from
    while (place < end) {
      let at = place - chunkPlace
      let length = frameLength(chunk, at)
      if (length === undefined || at + length > chunk.length) {
        const wanted = Math.max(chunkSize, length ?? 0)
        chunk = this.bytes(place, Math.min(wanted, end - place))
        chunkPlace = place
        at = 0
        length = frameLength(chunk, 0)
        if (length !== undefined && length > chunk.length && place + length <= end) {
          chunk = this.bytes(place, length)
        }
      }
      const frame =
        length === undefined || at + length > chunk.length
          ? undefined
          : decodeFrame(chunk.subarray(at, at + length), place)
      if (frame === undefined) return { place, tail: this.#holdsFrameAfter(place, end) ? 'corrupt' : 'torn' }
      yield frame
      place += frame.length
    }
    return { place, tail: 'clean' }
  }

  bytes(place: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    this.#fill(bytes, 0, place)
    return bytes
  }

  sync(): void {
    fdatasyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
    this.#fd = -1 // the system gives the number to the next file
  }

  /**
   * Whether anything good follows a bad place. A write cut short is always the last one; damage with good frames behind
   * it is something else, and nothing to be cut off in silence.
   */
  #holdsFrameAfter(bad: number, end: number): boolean {
    const rest = this.bytes(bad, end - bad)
    for (let at = rest.indexOf('NVL1', 1); at !== -1; at = rest.indexOf('NVL1', at + 1)) {
      const length = frameLength(rest, at)
      if (length === undefined || at + length > rest.length) continue
      if (decodeFrame(rest.subarray(at, at + length), bad + at) !== undefined) return true
    }
    return false
  }

  #fill(bytes: Buffer, from: number, place: number): void {
    let at = from
    while (at < bytes.length) {
      const read = readSync(this.#fd, bytes, at, bytes.length - at, place + at - from)
      if (read === 0) throw new RangeError(`the file ends before ${place + bytes.length - from}`)
      at += read
    }
  }
}
