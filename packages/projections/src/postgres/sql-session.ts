// Free-SQL projections: the handlers' statements, dead letters and the checkpoint in one transaction per batch.
//
// The first try at a batch runs it as it is. When something fails, the batch is taken back and run again with a savepoint
// before each event: that costs three more statements an event, and so is not done before it is needed.
import { type EventBatch, isNarrativeError, type Position, type RecordedEvent } from '@narrative/core'
import type { ClientBase } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { HandlerDefinition } from '../definition/projection-definition.js'
import { Attempt, isLastTry, tryOften } from '../failures/attempt.js'
import type { AskedLetter, DeadLetter } from '../failures/dead-letter.js'
import { keyOfEvent } from '../failures/event-key.js'
import type { ParkedEvents } from '../failures/parked-events.js'
import { byPartition, parkedAgain } from '../failures/redrive.js'
import type { IsReplay } from '../runtime/fold.js'
import { type Session, type SessionListener, ViewReplaced } from '../runtime/session.js'
import { stoppedAtEvent, stoppedAtWrite } from '../runtime/stopped.js'
import type { LetterChanges, Move } from '../runtime/table-storage.js'
import type { ClaimedCheckpoints } from './claimed-checkpoints.js'
import { refusalOf } from './savepoint.js'
import { isPassing } from './transaction.js'

/** What a session works with. */
export interface SqlSessionOptions {
  readonly projection: BoundProjection
  readonly checkpoints: ClaimedCheckpoints
  readonly parked: ParkedEvents
  readonly listener: SessionListener
  /** Runs work that is kept as a whole or not at all. */
  readonly atomically: <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>
  readonly changeLetters: (client: ClientBase, changes: LetterChanges) => Promise<void>
  readonly asked: (all: boolean) => Promise<readonly AskedLetter[]>
}

/** Events to apply in one transaction, and what else belongs into it. */
interface Work {
  readonly events: readonly RecordedEvent[]
  readonly isReplay: IsReplay
  readonly move: Move
  readonly settled: readonly DeadLetter[]
  /** Of the settled ones, those to be applied again. */
  readonly redriven: readonly DeadLetter[]
}

export class SqlSession implements Session {
  private readonly reached: Map<string, Move['to']>

  constructor(private readonly options: SqlSessionOptions) {
    this.reached = new Map(options.checkpoints.all.map((checkpoint) => [placeOf(checkpoint), checkpoint]))
  }

  get checkpoints() {
    return this.options.checkpoints.all
  }

  get parked(): number {
    return this.options.parked.size
  }

  isParked(position: Position): boolean {
    return this.options.parked.has(position)
  }

  async apply(batch: EventBatch, replayEnd: number): Promise<void> {
    await this.carryOut({
      events: batch.events,
      isReplay: (event) => event.position.offset < replayEnd,
      move: { from: this.reached.get(placeOf(batch))?.offset ?? 0, to: batch.checkpoint },
      settled: [],
      redriven: [],
    })
  }

  async attend(all: boolean): Promise<boolean> {
    if (this.parked === 0) return false
    const asked = await this.options.asked(all)
    for (const group of byPartition(asked, this.options.projection)) {
      const settled = group.map(({ letter }) => letter)
      const redriven = group.filter(({ wish }) => wish === 'redrive').map(({ letter }) => letter)
      const replays = new Set(redriven.filter(({ isReplay }) => isReplay).map(({ offset }) => offset))
      const at = this.reached.get(placeOf(settled[0]!))!
      for (const letter of settled) this.options.parked.remove(letter)
      await this.carryOut({
        events: redriven.map(({ event }) => event),
        isReplay: ({ position }) => replays.has(position.offset),
        move: { from: at.offset, to: at },
        ...{ settled, redriven },
      })
    }
    return asked.length > 0
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  private async carryOut(asGiven: Work): Promise<void> {
    const { projection, checkpoints, parked, listener } = this.options
    const work = { ...asGiven, events: asGiven.events.filter(({ type }) => projection.handlers.has(type)) }
    const pause = async (error: unknown, tried: number) => {
      await listener.retry(error, tried)
      return true
    }
    const { result } = await tryOften(projection.onFailure, pause, async (tried) => {
      const plain = tried === 1 && parked.size === 0
      return (plain && (await this.tryPlainly(work))) || (await this.tryCarefully(work, tried))
    })
    checkpoints.committed([work.move])
    this.reached.set(placeOf(work.move.to), work.move.to)
    for (const letter of result.letters) parked.add(letter)
    listener.committed([work.move.to])
    if (result.letters.length > 0) listener.parked(result.letters)
    const [first] = result.attempt.failed
    if (first !== undefined && projection.onFailure.action === 'stop')
      throw stoppedAtEvent(projection.name, first.handler, first.event, first.error)
  }

  /** @returns undefined when it has to be found out which event is to blame */
  private async tryPlainly(work: Work) {
    const { projection, checkpoints, parked, atomically, changeLetters } = this.options
    try {
      await atomically(async (client) => {
        await checkpoints.move(client, [work.move])
        for (const event of work.events) {
          try {
            const { decoded, view } = read(projection, event, work.isReplay(event), client)
            await handlerOf(projection, event).handle.call(projection.instance(), decoded, view)
          } catch (error) {
            throw isPassing(error) ? error : new HandlerFailed('', { cause: error })
          }
        }
        await changeLetters(client, { settled: work.settled, parked: [] })
      })
      return { attempt: new Attempt(parked, projection), letters: [] }
    } catch (error) {
      if (isNarrativeError(error) || error instanceof ViewReplaced) throw error
      return undefined
    }
  }

  private async tryCarefully(work: Work, tried: number) {
    const { projection, checkpoints, parked, atomically, changeLetters } = this.options
    try {
      return await atomically(async (client) => {
        await checkpoints.move(client, [work.move])
        const attempt = new Attempt(parked, projection)
        for (const event of work.events) await this.tryEvent(client, event, work.isReplay(event), attempt)
        if (!isLastTry(projection.onFailure, attempt, tried)) throw new TakenBack(attempt)
        const letters = parkedAgain(attempt.letters(tried, work.isReplay), work.redriven)
        await changeLetters(client, { settled: work.settled, parked: letters })
        return { attempt, letters }
      })
    } catch (error) {
      if (error instanceof TakenBack) return { attempt: error.attempt, letters: [] }
      if (isNarrativeError(error) || error instanceof ViewReplaced) throw error
      const { from, to } = work.move
      throw stoppedAtWrite(projection.name, `committing ${placeOf(to)}@${from} to ${to.offset}`, error)
    }
  }

  private async tryEvent(client: ClientBase, event: RecordedEvent, isReplay: boolean, attempt: Attempt): Promise<void> {
    const { projection } = this.options
    const handler = handlerOf(projection, event)
    let key = event.streamId
    try {
      const { decoded, view } = read(projection, event, isReplay, client)
      key = view.key
      if (attempt.defers(event, key)) return
      const refusal = await refusalOf(client, async () => {
        await handler.handle.call(projection.instance(), decoded, view)
      })
      if (refusal !== undefined) attempt.fail({ event, key, handler, error: refusal.error })
    } catch (error) {
      if (isPassing(error)) throw error
      attempt.fail({ event, key, handler, error })
    }
  }
}

/** The event as its class, and what its handler may know beside it. */
function read(projection: BoundProjection, event: RecordedEvent, isReplay: boolean, client: ClientBase) {
  const decoded = projection.decode(event)
  const key = keyOfEvent(projection, decoded, new EventView(event, isReplay))
  return { decoded, view: new EventView(event, isReplay, key, client) as EventView & { readonly key: string } }
}

/** Only events that have one come this far. */
function handlerOf({ handlers }: BoundProjection, { type }: RecordedEvent): HandlerDefinition {
  return handlers.get(type)!
}

/** A handler threw; which one is found out by the careful way. */
class HandlerFailed extends Error {}

/** The transaction is not to be kept: there will be another try. */
class TakenBack extends Error {
  constructor(readonly attempt: Attempt) {
    super('Taken back.')
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
