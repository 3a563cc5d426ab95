// Any event store, with faults that a test calls for: what an application does when its store does what stores do.
import type { AppendOptions, AppendResult, EventLog, EventStorage, EventStore, OpenStorage } from '@narrative/core'
import { instead } from './instead.js'
import { type Hit, SetFaults } from './set-faults.js'

/** Something that waits until the test lets it go. */
export interface Held {
  /** Resolves when something has come as far as this, and waits. */
  readonly reached: Promise<void>
  release(): void
}

/**
 * An {@link EventStorage} whose faults are called for one by one. They belong to the store, not to one opening of it, and without any
 * it is the store that was given.
 */
export interface FaultyEventStore extends EventStorage {
  /**
   * The next append that expects a version finds the stream one version further, as if another instance had been quicker. Nothing is
   * written. Called twice: the next two.
   */
  conflictOnce(): void
  /**
   * The next append fails with `OUTCOME_UNKNOWN`: its answer was lost, and its events are in the log or are not. Repeated with the same
   * command id it is right in either case.
   */
  loseAnswerOnce(events: 'written' | 'not-written'): void
  /**
   * `appends`: they are slow; every append waits before anything is written. `events`: read models fall behind; the log gives its
   * readers nothing more, while appends and reads of streams go on.
   */
  hold(what: 'appends' | 'events'): Held
  /**
   * The store is away until {@link heal}: appends, reads and openings are refused with `BROKER_UNREACHABLE`, nothing is written, the log gives
   * its readers nothing, and health says so.
   */
  cutOff(): void
  /** Takes back every fault that was called for, and lets go what is held. */
  heal(): void
}

/**
 * Wraps an event store, so that a test can say what goes wrong.
 *
 * @example
 * ```ts
 * const store = faultyEventStore(inMemoryEventStore())
 * const app = await createApplication({ aggregates: [Order], eventStore: store })
 * store.loseAnswerOnce('written')
 * await assert.rejects(app.commands.execute(placeOrder, { commandId }), { code: 'OUTCOME_UNKNOWN' })
 * const { duplicate } = await app.commands.execute(placeOrder, { commandId }) // true: it acts once
 * ```
 */
export function faultyEventStore(store: EventStorage): FaultyEventStore {
  const faults = new SetFaults()
  return instead<EventStorage, FaultyEventStore>(store, {
    async open(context) {
      faults.mustAnswer('open')
      return withFaults(await store.open(context), faults)
    },
    conflictOnce: () => faults.next.push('conflict'),
    loseAnswerOnce: (events) => faults.next.push(events),
    hold(what) {
      const gate = faults.gates[what]
      return { reached: gate.shut(), release: () => gate.open() }
    },
    cutOff: () => faults.cutOff(),
    heal: () => faults.heal(),
  })
}

function withFaults(opened: OpenStorage, faults: SetFaults): OpenStorage {
  return instead(opened, {
    eventStore: storeWithFaults(opened.eventStore, faults),
    eventLog: logWithFaults(opened.eventLog, faults),
    health() {
      const { ready, reasons } = opened.health()
      return faults.away ? { ready: false, reasons: [...reasons, faults.reason] } : { ready, reasons }
    },
  })
}

/** Of a copy in this process (`readReplica`), a broker that is away takes nothing. */
function storeWithFaults(store: EventStore, faults: SetFaults): EventStore {
  return instead(store, {
    async append(streamId, events, options) {
      await faults.gates.appends.pass()
      faults.mustAnswer(`append to ${streamId}`)
      const hit = faults.take(options)
      if (hit === undefined) return await store.append(streamId, events, options)
      return await answerWrongly(hit, options, () => store.append(streamId, events, options), streamId)
    },
    async *read(streamId, options) {
      faults.mustAnswer(`read ${streamId}`)
      yield* store.read(streamId, options)
    },
    async findCommand(streamId, commandId) {
      faults.mustAnswer(`read ${streamId}`)
      return await store.findCommand(streamId, commandId)
    },
  })
}

async function answerWrongly(
  hit: Hit,
  { expectedVersion, metadata }: AppendOptions,
  append: () => Promise<AppendResult>,
  streamId: string,
): Promise<AppendResult> {
  if (hit === 'conflict') return { outcome: 'conflict', actualVersion: Number(expectedVersion) + 1 }
  if (hit === 'written') {
    const result = await append()
    // A conflict writes nothing, so there is no outcome to be unsure of.
    if (result.outcome === 'conflict') return result
  }
  throw SetFaults.outcomeUnknown(streamId, metadata.commandId)
}

function logWithFaults(log: EventLog, faults: SetFaults): EventLog {
  return instead(log, {
    async partitions(category) {
      faults.mustAnswer(`look at the partitions of ${category}`)
      return await log.partitions(category)
    },
    subscribe(options) {
      // Begins at once, as the log's own does: "what comes" comes after this call.
      const batches = log.subscribe(options)
      return (async function* () {
        for await (const batch of batches) {
          await faults.gates.events.pass(options.signal)
          await faults.back.pass(options.signal)
          if (options.signal?.aborted) return
          yield batch
        }
      })()
    },
  })
}
