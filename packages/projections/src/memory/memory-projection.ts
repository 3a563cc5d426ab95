// A projection whose handlers keep state of their own in this process: replayed from offset 0 at every start.
import type { Checkpoint, RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import { Attempt, tryOften } from '../failures/attempt.js'
import type { DeadLetter, DeadLetters } from '../failures/dead-letter.js'
import { keyOfEvent } from '../failures/event-key.js'
import { ParkedEvents } from '../failures/parked-events.js'
import { byPartition, parkedAgain } from '../failures/redrive.js'
import type { ControlRoom } from '../runtime/control.js'
import type { IsReplay } from '../runtime/fold.js'
import type { OpenSession, Session, SessionListener } from '../runtime/session.js'
import { stoppedAtEvent } from '../runtime/stopped.js'
import type { Place } from '../runtime/work-share.js'
import { MemoryControl } from './memory-control.js'
import { MemoryLetters } from './memory-letters.js'

/** Sessions over the state of one projection, and what is known of it. */
export interface MemoryView {
  readonly open: OpenSession
  readonly letters: DeadLetters
  readonly control: ControlRoom
}

/** The state outlives a lost connection to the log: a new session goes on where the last one was. */
export function memoryProjection(projection: BoundProjection): MemoryView {
  const checkpoints = new Map<string, Checkpoint>()
  const letters = new MemoryLetters()
  const open = async (partitions: readonly Place[], listener: SessionListener): Promise<Session> => {
    for (const { topic, partition } of partitions) {
      const key = `${topic}/${partition}`
      if (!checkpoints.has(key)) checkpoints.set(key, { topic, partition, offset: 0, claim: null })
    }
    const parked = new ParkedEvents(letters.places)

    /** Applies what can be applied; gives the letters of the rest. */
    const applyAll = async (events: readonly RecordedEvent[], isReplay: IsReplay) => {
      // State that handlers change in place cannot be taken back: each event is applied once, and only those that failed are tried again.
      let open = events
      const pause = (error: unknown, tried: number) =>
        listener.retry(error, tried).then(
          () => true,
          // It is being stopped. What was applied stays applied, so the rest is parked: for as long as this process lives.
          () => false,
        )
      const { result, tried } = await tryOften(projection.onFailure, pause, () => {
        const attempt = new Attempt(parked, projection)
        open = open.filter((event) => !applyOne(projection, event, isReplay, attempt))
        return { attempt }
      })
      return { attempt: result.attempt, letters: result.attempt.letters(tried, isReplay) }
    }
    const store = (settled: readonly DeadLetter[], left: readonly DeadLetter[]) => {
      letters.change({ settled, parked: left })
      for (const letter of left) parked.add(letter)
      if (left.length > 0) listener.parked(left)
    }
    const assertGoingOn = ({ failed: [first] }: Attempt) => {
      if (first === undefined || projection.onFailure.action === 'park') return
      throw stoppedAtEvent(projection.name, first.handler, first.event, first.error)
    }

    return {
      checkpoints: [...checkpoints.values()],
      get parked() {
        return parked.size
      },
      isParked: (position) => parked.has(position),
      async apply(batch, replayEnd) {
        const outcome = await applyAll(batch.events, (event) => event.position.offset < replayEnd)
        store([], outcome.letters)
        checkpoints.set(`${batch.topic}/${batch.partition}`, batch.checkpoint)
        listener.committed([batch.checkpoint])
        assertGoingOn(outcome.attempt)
      },
      async attend(all) {
        const asked = letters.asked(all)
        for (const group of byPartition(asked, projection)) {
          const settled = group.map(({ letter }) => letter)
          const redriven = group.filter(({ wish }) => wish === 'redrive').map(({ letter }) => letter)
          for (const letter of settled) parked.remove(letter)
          const replays = new Set(redriven.filter(({ isReplay }) => isReplay).map(({ event }) => event))
          const outcome = await applyAll(
            redriven.map(({ event }) => event),
            (event) => replays.has(event),
          )
          store(settled, parkedAgain(outcome.letters, redriven))
          assertGoingOn(outcome.attempt)
        }
        return asked.length > 0
      },
      flush: async () => {},
      close: async () => {},
    }
  }
  const control = new MemoryControl(async () => {
    return { generation: 1, checkpoints: [...checkpoints.values()], parked: await letters.count(), kept: undefined }
  })
  return { open, letters, control }
}

/** @returns whether there is nothing left to do with the event */
function applyOne(projection: BoundProjection, event: RecordedEvent, isReplay: IsReplay, attempt: Attempt): boolean {
  const handler = projection.handlers.get(event.type)
  if (handler === undefined) return true
  let key = event.streamId
  try {
    const decoded = projection.decode(event)
    key = keyOfEvent(projection, decoded, new EventView(event, isReplay(event)))
    if (attempt.defers(event, key)) return false
    const result = handler.handle.call(projection.instance(), decoded, new EventView(event, isReplay(event), key))
    if (result === undefined) return true
    throw new TypeError(
      'a handler of a memory projection returns nothing and is synchronous; name a table in @Projection(name, { from, table }) to fold rows',
    )
  } catch (error) {
    attempt.fail({ event, key, handler, error })
    return false
  }
}
