import { isNarrativeError } from '@narrative/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ProducerRecord } from './driver/kafka-driver.js'
import { fold, logStart } from './fold.js'
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
