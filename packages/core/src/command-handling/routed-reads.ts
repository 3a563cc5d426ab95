// Streams read where they are owned: a strong read of a stream that lives elsewhere asks its owner, page by page.
import { randomUUID } from 'node:crypto'
import { isNarrativeError } from '../errors/narrative-error.js'
import type { Clock } from '../event-store/clock.js'
import type { CommandRouter } from '../event-store/command-router.js'
import type { EventStore, ReadOptions } from '../event-store/event-store.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
import type { StreamId } from '../messages/stream-id.js'
import { errorFromWire } from './routed-error.js'
import { type EventOnWire, eventFromWire, eventToWire, fromBytes, type ReplyOnWire, toBytes } from './routed-message.js'

/** Bytes of data after which a page ends; a message on Kafka holds a mebibyte, and base64 takes a third more. */
const pageBytes = 400_000
const pageEvents = 500
const readTimeout = 10_000

/** Reads like {@link EventStore.read}, wherever the stream is owned. */
export function createRoutedRead(eventStore: EventStore, router: CommandRouter, clock: Clock): EventStore['read'] {
  return async function* read(streamId: StreamId, options: ReadOptions = {}): AsyncGenerator<RecordedEvent, void> {
    let from = options.from ?? 1
    if (router.ownerOf(streamId) === 'here') {
      try {
        for await (const event of eventStore.read(streamId, options)) {
          from = event.version + 1
          yield event
        }
        return
      } catch (error) {
        if (!isNarrativeError(error, 'NOT_OWNER') || router.ownerOf(streamId) === 'here') throw error
      }
    }
    for (let next: number | undefined = from; next !== undefined; ) {
      const payload = toBytes({ ...options, kind: 'read', from: next })
      const request = { streamId, id: randomUUID(), deadline: clock.now() + readTimeout, payload }
      const reply: ReplyOnWire = fromBytes<ReplyOnWire>(await router.send(request))
      if (reply.kind === 'error') throw errorFromWire(reply.error, {})
      if (reply.kind !== 'page') throw new TypeError(`The owner of ${streamId} answered a read with a ${reply.kind}.`)
      yield* reply.events.map(eventFromWire)
      next = reply.next
    }
  }
}

/** As much of a stream as one reply holds. */
export async function readPage(eventStore: EventStore, streamId: StreamId, options: ReadOptions): Promise<ReplyOnWire> {
  const events: EventOnWire[] = []
  let bytes = 0
  for await (const event of eventStore.read(streamId, options)) {
    if (events.length > 0 && (events.length === pageEvents || bytes + event.data.length > pageBytes)) {
      return { kind: 'page', events, next: event.version }
    }
    bytes += event.data.length
    events.push(eventToWire(event))
  }
  return { kind: 'page', events }
}
