import { isNarrativeError, type MessageMetadata, type NewEvent } from '@narrative/core'
import { Kafka } from 'cloudevents'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fold } from './fold.js'
import { fetched } from './memory-broker.test-support.js'
import { encodeAppend, encodeClaim, recordSize } from './record-codec.js'
import { formatEventStamp, formatIds, parseStamp } from './stamp.js'

const claim = 'd5c5b9c2-8f5e-4b8e-9b0e-1f8f8a3c1d11'
const time = Date.parse('2026-11-21T10:20:30.123Z')

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const anId = fc.oneof(
  fc.uuid(),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('=', '%', '', ' ', '%3D', 'a b'),
)
const anEvent: fc.Arbitrary<NewEvent> = fc.record({
  id: fc.uuid(),
  type: text,
  schemaVersion: fc.integer({ min: 1, max: 1000 }),
  contentType: fc.constantFrom('application/json', 'application/avro', 'text/plain; charset=utf-8'),
  data: fc.uint8Array({ maxLength: 200 }),
})
const someMetadata: fc.Arbitrary<MessageMetadata> = fc.record(
  {
    commandId: anId,
    correlationId: anId,
    causationId: anId,
    traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  },
  { requiredKeys: ['commandId', 'correlationId', 'causationId'] },
)
const place = (metadata: MessageMetadata, firstVersion = 1) => {
  const streamId = 'order-größer 😀'
  const source = '/shop.order.events'
  return {
    streamId,
    key: Buffer.from(streamId),
    source,
    firstVersion,
    claim,
    time: new Date(time).toISOString(),
    metadata,
  }
}

test('whatever is appended comes back from the record as it was', () => {
  const someEvents = fc.array(anEvent, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(someEvents, someMetadata, fc.integer({ min: 1, max: 2 ** 40 }), (events, metadata, firstVersion) => {
      const records = encodeAppend(events, place(metadata, firstVersion)).map((record) => ({ ...record, time }))
      const from = { offset: 7, claim }
      const folded = fold(
        't',
        3,
        from,
        records.map((record, index) => fetched(record, 7 + index)),
      )
      expect(folded.point).toEqual({ offset: 7 + events.length, claim })
      expect(folded.events).toEqual(
        events.map((event, index) => ({
          ...event,
          data: Buffer.from(event.data),
          streamId: 'order-größer 😀',
          version: firstVersion + index,
          position: { topic: 't', partition: 3, offset: 7 + index },
          time,
          metadata,
        })),
      )
    }),
  )
})

test('a record is a CloudEvent in Kafka’s binary mode, as the cloudevents package reads it', () => {
  const event: NewEvent = {
    id: 'e1',
    type: 'order.placed',
    schemaVersion: 2,
    contentType: 'application/json',
    data: Buffer.from('{"total":12}'),
  }
  const [record] = encodeAppend([event], place({ commandId: 'c', correlationId: 'c', causationId: 'c' }))
  const headers = Object.fromEntries(record!.headers.map(({ key, value }) => [key, String(value)]))
  const message = {
    key: null,
    value: Buffer.from(record!.value!),
    headers,
    body: Buffer.from(record!.value!),
    timestamp: '',
  }
  expect(Kafka.isEvent(message as never)).toBe(true)
  const read = Kafka.toEvent(message as never) as never as Record<string, unknown> & { validate(): boolean }
  expect(read.validate()).toBe(true)
  expect(read).toMatchObject({
    specversion: '1.0',
    id: 'e1',
    type: 'order.placed',
    source: '/shop.order.events',
    subject: 'order-größer 😀',
    time: '2026-11-21T10:20:30.123Z',
    datacontenttype: 'application/json',
  })
  expect(
    JSON.parse(String(read.data_base64 ? Buffer.from(String(read.data_base64), 'base64') : JSON.stringify(read.data))),
  ).toEqual({ total: 12 })
})

test('a console consumer can read the stamp', () => {
  const stamp = { version: 12, schemaVersion: 2, index: 0, count: 3, claim: 'CLAIM' }
  expect(formatEventStamp(stamp, formatIds({ commandId: 'c 1', correlationId: 's', causationId: 'c 1' }))).toBe(
    '12 2 0/3 CLAIM c%201 s =',
  )
  expect(String(encodeClaim('CLAIM', 4, 'me', '2026-01-01T00:00:00.000Z').headers[0]!.value)).toBe('claim CLAIM 4')
})

test('what is not a stamp is not taken for one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (noise) => {
      const stamp = parseStamp(noise)
      if (stamp !== undefined) expect(noise).toMatch(/^(claim \S+ \d+|\d+ \d+ \d+\/\d+ \S+ \S+ \S+ \S+)$/)
    }),
  )
  const good = '1 1 0/1 CLAIM c s x'
  expect(parseStamp(good)).toBeDefined()
  for (const bad of [
    '',
    'claim',
    'claim x',
    '0 1 0/1 C c s x',
    '1 1 1/1 C c s x',
    `${good} y`,
    good.slice(0, -2),
    ` ${good}`,
    '1 1 0/1 CLAIM %zz s x',
  ]) {
    expect(parseStamp(bad), bad).toBeUndefined()
  }
})

test('the size of a record is never underestimated', () => {
  fc.assert(
    fc.property(anEvent, someMetadata, (event, metadata) => {
      const record = encodeAppend([event], place(metadata))[0]!
      let bytes = record.key!.length + record.value!.length
      for (const { key, value } of record.headers) bytes += Buffer.byteLength(key) + Buffer.byteLength(value as string)
      expect(recordSize(record)).toBeGreaterThanOrEqual(bytes + 8 + 2 * record.headers.length)
    }),
  )
})

test.each([
  ['no nv header', { key: Buffer.from('k'), value: Buffer.from('v'), headers: [] }],
  ['no key', { key: null, value: Buffer.from('v'), headers: [{ key: 'nv', value: `1 1 0/1 ${claim} c s x` }] }],
  ['another nv', { key: Buffer.from('k'), value: Buffer.from('v'), headers: [{ key: 'nv', value: 'hello' }] }],
])('a record with %s is named by topic, partition and offset', (_, record) => {
  const read = () => fold('shop.order.events', 2, { offset: 40, claim }, [fetched({ ...record, time }, 40)])
  expect(read).toThrow(/shop\.order\.events\/2@40/)
  try {
    read()
  } catch (error) {
    expect(isNarrativeError(error, 'LOG_CORRUPT')).toBe(true)
  }
})
