// Clients of the services: they look for the owner of a stream as a balancer would, and note what they were told.
import { randomUUID } from 'node:crypto'
import type { AppendOperation, Operation } from '../checker/history.js'
import { Random } from '../random.js'
import type { Service } from './service.js'

export class ServiceClients {
  readonly operations: Operation[] = []
  /** When each stream was last acknowledged. */
  readonly lastAcknowledged = new Map<string, number>()
  readonly #services: readonly Service[]
  readonly #random: Random
  readonly #owners = new Map<string, Service>()
  readonly #running: Promise<void>[] = []
  #stopped = false

  constructor(services: readonly Service[], seed: number) {
    this.#services = services
    this.#random = new Random(seed)
  }

  start(clients: number, streams: readonly string[]): void {
    for (let n = 0; n < clients; n++) this.#running.push(this.#work(`c${n}`, streams))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  /** Reads a stream at its owner; tries until somebody answers, for a minute. */
  async readAnywhere(streamId: string): Promise<readonly string[]> {
    for (const end = performance.now() + 60_000; performance.now() < end; await pause(20)) {
      const outcome = await this.#serviceFor(streamId)?.read(streamId)
      if (outcome?.told === 'events') return outcome.eventIds
      this.#owners.delete(streamId)
    }
    throw new Error(`Nobody answered a read of ${streamId} for a minute.`)
  }

  async #work(client: string, streams: readonly string[]): Promise<void> {
    const random = this.#random
    while (!this.#stopped) {
      const streamId = random.pick(streams)
      if (random.chance(0.1)) await this.#read(client, streamId)
      else await this.#command(client, streamId)
    }
  }

  async #command(client: string, streamId: string): Promise<void> {
    const command = { streamId, commandId: randomUUID(), expectedVersion: 'any' as const }
    for (let attempt = 0; attempt < 8 && !this.#stopped; attempt++) {
      const service = this.#serviceFor(streamId)
      if (service === undefined) return pause(20)
      const eventIds = Array.from({ length: this.#random.chance(0.7) ? 1 : 3 }, () => randomUUID())
      const start = performance.now()
      const { outcome, answered } = await service.append({ ...command, eventIds })
      const end = answered ? performance.now() : null
      const called = { id: this.operations.length, client, instance: service.name, start, end }
      const operation: AppendOperation = { kind: 'append', ...called, ...command, eventIds, outcome }
      this.operations.push(operation)
      if (outcome.told === 'appended') {
        this.#owners.set(streamId, service)
        this.lastAcknowledged.set(streamId, start)
        return
      }
      this.#owners.delete(streamId)
      await pause(20)
    }
  }

  async #read(client: string, streamId: string): Promise<void> {
    const service = this.#serviceFor(streamId)
    if (service === undefined) return
    const start = performance.now()
    const outcome = await service.read(streamId)
    const called = { id: this.operations.length, client, instance: service.name, start, end: performance.now() }
    this.operations.push({ kind: 'read', strong: true, ...called, streamId, outcome })
  }

  #serviceFor(streamId: string): Service | undefined {
    const ready = this.#services.filter((service) => service.ready)
    const owner = this.#owners.get(streamId)
    if (owner?.ready) return owner
    return ready.length === 0 ? undefined : this.#random.pick(ready)
  }
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
