import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPosition, parsePosition } from './position.js'
import { aggregateIdOf, categoryOf, toStreamId } from './stream-id.js'

test('a position token reads back as the position', () => {
  const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/)
  fc.assert(
    fc.property(topic, fc.nat(999_999), fc.nat({ max: 999_999_999_999 }), (name, partition, offset) => {
      const position = { topic: name, partition, offset }
      expect(parsePosition(formatPosition(position))).toEqual(position)
    }),
  )
})

test.each(['', 'a/b@1', 'a/1', 'a/1@-1', 'a b/1@1', 'a/1@1x'])('%j is refused as a position', (token) => {
  expect(() => parsePosition(token)).toThrow(/is not a position/)
})

test('a stream id splits back into its category and the aggregate id, hyphens in the id included', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }), (raw) => {
      const id = `${[...raw].filter((c) => c >= ' ').join('')}-x`
      const streamId = toStreamId('order', id)
      expect([categoryOf(streamId), aggregateIdOf(streamId)]).toEqual(['order', id])
    }),
  )
})

test.each([[''], [undefined], [7], ['a\nb'], ['x'.repeat(501)]])('%j is refused as an aggregate id', (id) => {
  expect(() => toStreamId('order', id as string)).toThrow(expect.objectContaining({ code: 'STREAM_ID_INVALID' }))
})
