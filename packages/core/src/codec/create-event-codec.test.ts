import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventTypeOf } from '../decorators/event-type-of.js'
import { Event } from '../decorators/message-decorators.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
import { createEventCodec } from './create-event-codec.js'
import { findUnstorable } from './find-unstorable.js'

@Event('note.written')
class NoteWritten {
  constructor(readonly data: unknown) {}
  shout() {
    return `${this.data}!`
  }
}

@Event('price.set', {
  version: 3,
  upcast: { 1: (v1) => ({ ...v1, currency: 'EUR' }), 2: ({ amount, ...v2 }) => ({ ...v2, cents: amount * 100 }) },
})
class PriceSet {
  constructor(
    readonly cents: number,
    readonly currency: string,
  ) {}
}

@Event('due.set', { revive: ({ at }) => new DueSet(new Date(at)) })
class DueSet {
  constructor(readonly at: Date) {}
}

const codec = createEventCodec([NoteWritten, PriceSet, DueSet].map((eventClass) => eventTypeOf<object>(eventClass)!))

function recorded(type: string, data: unknown, over: Partial<RecordedEvent> = {}): RecordedEvent {
  return {
    id: '1',
    type,
    schemaVersion: 1,
    contentType: 'application/json',
    data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)),
    streamId: 'note-1',
    version: 4,
    position: { topic: 'notes', partition: 2, offset: 17 },
    time: 0,
    metadata: { commandId: 'c', correlationId: 'c', causationId: 'c' },
    ...over,
  }
}

describe('round trip', () => {
  test('whatever may be stored comes back equal, as its class', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as never), (data) => {
        fc.pre(findUnstorable(data) === undefined) // an object may have a property __proto__, which is refused
        const event = new NoteWritten(data)
        const encoded = codec.encode(event)
        const back = codec.decode(recorded(encoded.type, '', { ...encoded }))
        expect(back).toBeInstanceOf(NoteWritten)
        // JSON has one zero.
        expect(back).toEqual(JSON.parse(JSON.stringify({ data })))
      }),
    )
  })

  test('methods are there, the constructor is not run', () => {
    expect((codec.decode(recorded('note.written', { data: 'hey' })) as NoteWritten).shout()).toBe('hey!')
  })

  test('an event with a revive function may hold a date', () => {
    const event = new DueSet(new Date('2026-01-02T03:04:05.006Z'))
    expect(codec.decode(recorded('', '', { ...codec.encode(event) }))).toEqual(event)
  })
})

describe('what would not survive is refused, with its path', () => {
  test.each([
    [new Date(0), /data is a Date/],
    [{ a: [{ b: Number.NaN }] }, /data\.a\[0\]\.b is NaN/],
    [10n, /data is a bigint/],
    [[1, undefined], /data\[1\] is undefined/],
    [new Map(), /data is a Map/],
    [() => 1, /data is a function/],
    [JSON.parse('{"__proto__": 1}'), /__proto__/],
  ])('%s', (data, message) => {
    expect(() => codec.encode(new NoteWritten(data))).toThrow(message)
  })

  test('findUnstorable agrees with JSON on every value', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
        (value) => {
          if (findUnstorable(value) !== undefined) return
          // Absent and undefined properties are the same thing to an event; -0 is 0.
          expect(JSON.parse(JSON.stringify({ value }))).toEqual(JSON.parse(JSON.stringify({ value })))
          expect({ value: JSON.parse(JSON.stringify({ value })).value }).toEqual({ value: normalised(value) })
        },
      ),
    )
  })

  test('an event of nobody', () => {
    expect(() => codec.encode(new (class Stranger {})())).toThrow(/A value of Stranger is not an event/)
  })
})

describe('upcasting', () => {
  test('goes step by step from any older version', () => {
    expect(codec.decode(recorded('price.set', { amount: 2 }))).toEqual(new PriceSet(200, 'EUR'))
    expect(codec.decode(recorded('price.set', { amount: 2, currency: 'USD' }, { schemaVersion: 2 }))).toEqual(
      new PriceSet(200, 'USD'),
    )
    expect(codec.decode(recorded('price.set', { cents: 2, currency: 'USD' }, { schemaVersion: 3 }))).toEqual(
      new PriceSet(2, 'USD'),
    )
  })
})

describe('what cannot be decoded says where it is', () => {
  test.each([
    [
      'an unknown name',
      recorded('note.burnt', {}),
      'EVENT_UNKNOWN',
      /note\.burnt \(stream note-1, version 4\) at notes\/2@17/,
    ],
    ['no JSON', recorded('note.written', '{'), 'EVENT_UNDECODABLE', /notes\/2@17.*not JSON/],
    [
      'a newer version',
      recorded('note.written', {}, { schemaVersion: 2 }),
      'EVENT_UNDECODABLE',
      /schema version 2.*version 1.*newer program/,
    ],
    [
      'another content type',
      recorded('note.written', {}, { contentType: 'text/plain' }),
      'EVENT_UNDECODABLE',
      /text\/plain/,
    ],
    [
      'a failing upcaster',
      recorded('price.set', 'null', { schemaVersion: 2 }),
      'EVENT_UNDECODABLE',
      /upcaster from version 2 failed/,
    ],
    ['data that is no object', recorded('note.written', '7'), 'EVENT_UNDECODABLE', /could not be revived/],
  ])('%s', (_name, event, code, message) => {
    try {
      codec.decode(event)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code, details: { position: event.position } })
      expect((error as Error).message).toMatch(message)
    }
  })
})

function normalised(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(normalised)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, normalised(v)]),
    )
  }
  return value
}
