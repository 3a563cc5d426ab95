import { isNarrativeError, type UnreadableRecord } from '@narrative/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ProducerRecord } from './driver/kafka-driver.js'
import { fold, logStart, reread } from './fold.js'
import { fetched } from './memory-broker.test-support.js'
import { encodeAppend, encodeClaim } from './record-codec.js'
import { anEvent, metadata } from './store.test-support.js'

const time = 1_700_000_000_000

const claimRecord = (claim: string): ProducerRecord => encodeClaim(claim, 4, 'me', new Date(time).toISOString())
const eventRecord = (claim: string): ProducerRecord => {
  const place = { streamId: 'order-1', key: Buffer.from('order-1'), source: '/t', firstVersion: 1, claim }
  return encodeAppend([anEvent()], { ...place, time: new Date(time).toISOString(), metadata: metadata('c') })[0]!
}

const names = fc.constantFrom('A', 'B', 'C')
const someLog = fc.array(fc.record({ kind: fc.constantFrom('claim', 'event', 'event', 'event'), claim: names }), {
  maxLength: 60,
})
const fetchLog = (log: readonly { kind: string; claim: string }[]) =>
  log.map(({ kind, claim }, offset) =>
    fetched({ ...(kind === 'claim' ? claimRecord : eventRecord)(claim), time }, offset),
  )

test('an event counts exactly when the latest claim before it is its own', () => {
  fc.assert(
    fc.property(someLog, (log) => {
      const { events, voids, point } = fold('t', 0, logStart, fetchLog(log))
      const counts = (index: number) =>
        log.slice(0, index).findLast(({ kind }) => kind === 'claim')?.claim === log[index]!.claim
      const offsets = [...log.keys()].filter((index) => log[index]!.kind === 'event')
      expect(events.map((event) => event.position.offset)).toEqual(offsets.filter(counts))
      expect(voids).toEqual(offsets.filter((index) => !counts(index)))
      expect(point).toEqual({ offset: log.length, claim: log.findLast(({ kind }) => kind === 'claim')?.claim ?? null })
    }),
  )
})

test('folding in pieces, from the point each piece ends at, is folding at once', () => {
  fc.assert(
    fc.property(someLog, fc.array(fc.nat(60)), (log, cuts) => {
      const records = fetchLog(log)
      const whole = fold('t', 0, logStart, records)
      const bounds = [0, ...cuts.map((cut) => Math.min(cut, log.length)).sort((a, b) => a - b), log.length]
      let point = logStart
      const offsets: number[] = []
      for (let index = 1; index < bounds.length; index++) {
        const piece = fold('t', 0, JSON.parse(JSON.stringify(point)), records.slice(bounds[index - 1], bounds[index]))
        offsets.push(...piece.events.map((event) => event.position.offset))
        point = piece.point
      }
      expect(offsets).toEqual(whole.events.map((event) => event.position.offset))
      expect(point).toEqual(whole.point)
    }),
  )
})

test('a missing offset is a truncated log', () => {
  const records = fetchLog([
    { kind: 'claim', claim: 'A' },
    { kind: 'event', claim: 'A' },
    { kind: 'event', claim: 'A' },
  ])
  const code = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      return isNarrativeError(error) ? error.code : error
    }
    return undefined
  }
  expect(code(() => fold('t', 0, logStart, [records[0]!, records[2]!]))).toBe('LOG_TRUNCATED')
  expect(code(() => fold('t', 0, logStart, records.slice(1)))).toBe('LOG_TRUNCATED')
})

test('records that are not ours are an error, or are given as they are and change nothing for the others', () => {
  const headers = [
    { key: 'nv', value: 'x' },
    { key: 'h', value: 'y' },
  ]
  const { value: _value, ...nameless } = { ...eventRecord('A'), headers: eventRecord('A').headers.slice(0, 1) }
  const log = [
    claimRecord('A'),
    { key: null, value: Buffer.from('hello'), headers },
    eventRecord('A'),
    { ...nameless, value: Buffer.from('{}') },
    eventRecord('B'),
    eventRecord('A'),
  ]
  const records = log.map((record, offset) => fetched({ ...record, time }, offset))
  expect(() => fold('t', 0, logStart, records)).toThrow('t/0@1 was not written by Narrative')
  const unreadable: UnreadableRecord[] = []
  const { events, voids, point } = fold('t', 0, logStart, records, unreadable)
  expect(events.map(({ position }) => position.offset)).toEqual([2, 5])
  expect({ voids, point }).toEqual({ voids: [4], point: { offset: 6, claim: 'A' } })
  const place = { topic: 't', partition: 0 }
  expect(unreadable).toEqual([
    {
      ...{ position: { ...place, offset: 1 }, key: null, value: Buffer.from('hello'), time, claim: 'A' },
      headers: headers.map(({ key, value }) => [key, Buffer.from(value)]),
      ...{ streamId: undefined, error: expect.objectContaining({ code: 'LOG_CORRUPT' }) },
    },
    expect.objectContaining({ position: { ...place, offset: 3 }, streamId: 'order-1' }),
  ])
  for (const record of unreadable) expect(() => reread(record)).toThrow('was not written by Narrative')
})

test('read again, a record is the event that it is, if it counts by itself', () => {
  const record = fetched({ ...eventRecord('A'), time }, 7)
  const { key, value } = record
  const raw = { position: { topic: 't', partition: 3, offset: 7 }, key, value, headers: record.headers(), time }
  const [event] = fold('t', 3, { offset: 7, claim: 'A' }, [record]).events
  expect(reread({ ...raw, claim: 'A' })).toEqual(event)
  expect(() => reread({ ...raw, claim: 'B' })).toThrow('by itself it is no event that counts')
})
