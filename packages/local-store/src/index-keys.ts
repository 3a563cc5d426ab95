// The keys of the index (stream-index.ts): a letter, perhaps a number, perhaps a stream id.

/** Bytes that a key of lmdb can take, less what stands before the stream id. */
export const maxStreamIdBytes = 1900

const letters = { stream: 0x73, chunk: 0x63, command: 0x6b, snapshot: 0x70, offset: 0x6f }

export const reachKey = Buffer.from('m')

export const streamKey = (streamId: string) => named(letters.stream, streamId)
export const snapshotKey = (streamId: string) => named(letters.snapshot, streamId)

export const chunkKey = (streamId: string, chunk: number) => numbered(letters.chunk, chunk, streamId)
export const commandKey = (streamId: string, hash: number) => numbered(letters.command, hash, streamId)

export function offsetKey(offset: number): Buffer {
  const key = Buffer.allocUnsafe(9)
  key[0] = letters.offset
  key.writeBigUInt64BE(BigInt(offset), 1)
  return key
}

export const isStreamKey = (key: Buffer) => key[0] === letters.stream
export const isChunkKey = (key: Buffer) => key[0] === letters.chunk
export const isCommandKey = (key: Buffer) => key[0] === letters.command

/** The order of their keys, but for characters beyond the basic plane: good enough to go through the tree from left to right. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function named(letter: number, streamId: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(streamId))
  key[0] = letter
  key.write(streamId, 1)
  return key
}

function numbered(letter: number, number: number, streamId: string): Buffer {
  const key = Buffer.allocUnsafe(5 + Buffer.byteLength(streamId))
  key[0] = letter
  key.writeUInt32BE(number, 1)
  key.write(streamId, 5)
  return key
}
