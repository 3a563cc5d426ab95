import * as fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from './partitioner.js'

test('murmur2 gives the values of Kafka’s own tests', () => {
  // org.apache.kafka.common.utils.UtilsTest
  const known: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, hash] of known) expect(murmur2(Buffer.from(text)), text).toBe(hash)
})

test('a key goes where kafkajs would send it', () => {
  const oracle = Partitioners.DefaultPartitioner()
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 200 }), (given, count) => {
      const bytes = Buffer.from(given)
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 0 }) as never)
      const expected = oracle({ topic: 't', partitionMetadata, message: { key: bytes, value: null } })
      expect(partitionOf(bytes, count)).toBe(expected)
    }),
    { numRuns: 300 },
  )
})
