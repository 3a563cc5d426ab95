// Clients of one or more event stores, and the history of what they were told.
import { randomUUID } from 'node:crypto'
import { isNarrativeError, type NewEvent, type OpenStorage } from '@narrative/core'
import type { AppendOperation, AppendOutcome, Operation } from '../checker/history.js'
import { Random } from '../random.js'

/** Who is asked for a stream at the moment; undefined when nobody serves. */
export type Ask = (streamId: string) => { readonly name: string; readonly store: OpenStorage } | undefined

export class Clients {
  readonly operations: Operation[] = []
  readonly #ask: Ask
  readonly #random: Random
  #stopped = false
  #running: Promise<void>[] = []

  constructor(seed: number, ask: Ask) {
    this.#random = new Random(seed)
    this.#ask = ask
  }

  /** Starts clients that append one after the other, each to streams that others use as well. */
  start(clients: number, streams: number): void {
    this.#running = Array.from({ length: clients }, (_, n) => this.#work(`c${n}`, streams))
  }

  /** Resolves when the last answer is there. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  /** Acknowledged appends so far. */
  get acknowledged(): readonly AppendOperation[] {
    return this.operations.filter(
      (operation): operation is AppendOperation => operation.kind === 'append' && operation.outcome.told === 'appended',
    )
  }

  async #work(client: string, streams: number): Promise<void> {
    const random = this.#random
    const versions = new Map<string, number>()
    while (!this.#stopped) {
      const streamId = `order-${random.between(1, streams)}`
      const asked = this.#ask(streamId)
      if (asked === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      const expectedVersion = random.chance(0.5) ? ('any' as const) : (versions.get(streamId) ?? 0)
      const command = { streamId, commandId: randomUUID(), expectedVersion }
      for (let attempt = 0; attempt < 3; attempt++) {
        const { outcome } = await this.#append(client, asked, command)
        if (outcome.told === 'appended') versions.set(streamId, outcome.version)
        if (outcome.told === 'conflict') versions.set(streamId, outcome.actualVersion)
        if (outcome.told !== 'unknown') break
      }
    }
  }

  async #append(
    client: string,
    { name, store }: NonNullable<ReturnType<Ask>>,
    command: Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion'>,
  ): Promise<AppendOperation> {
    const { streamId, commandId, expectedVersion } = command
    const events = Array.from({ length: this.#random.chance(0.7) ? 1 : 3 }, anEvent)
    const metadata = { commandId, correlationId: commandId, causationId: commandId }
    const start = performance.now()
    const outcome = await store.eventStore
      .append(streamId, events, { expectedVersion, metadata })
      .then(({ outcome: told, ...rest }) => ({ told, ...rest }) as AppendOutcome, failed)
    const operation: AppendOperation = {
      ...{ kind: 'append', id: this.operations.length, client, instance: name, ...command },
      ...{ start, end: performance.now(), eventIds: events.map((event) => event.id), outcome },
    }
    this.operations.push(operation)
    return operation
  }
}

function failed(error: unknown): AppendOutcome {
  if (!isNarrativeError(error)) throw error
  return { told: error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused', code: error.code }
}

function anEvent(): NewEvent {
  const data = Buffer.from('{"total":12}')
  return { id: randomUUID(), type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data }
}
