// Clients of the service: they ask any instance, as behind a balancer, repeat what they got no answer to, and note it all.
//
// They come whether those before them were served or not, to each partition at the same rate: so a gap in what a partition
// acknowledged is the partition's, and not that of clients who wait elsewhere.
import { randomUUID } from 'node:crypto'
import type { AppendOperation, AppendOutcome, Operation } from '../checker/history.js'
import { Random } from '../random.js'
import type { GapMeter } from './gap-meter.js'
import type { ReadAnswer } from './instance-messages.js'
import { pause } from './pause.js'
import type { Service } from './service.js'

/** Streams of a partition that are written to at a time, and the version at which another takes its place. */
const openStreams = 8
const fullAt = 40
const attempts = 6
/** Clients that are at a partition at a time. */
const crowd = 60
/** An instance is waited for a little longer than it may take. */
const grace = 1_500

type Command = Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion'> & { readonly refuse: boolean }

export class ServiceClients {
  readonly operations: Operation[] = []
  /** Every stream there is, with the highest version anybody was told of. */
  readonly versions = new Map<string, number>()
  acknowledged = 0
  readonly #services: readonly Service[]
  readonly #partitionOf: (streamId: string) => number
  readonly #meter: GapMeter
  readonly #random: Random
  readonly #coming: Promise<void>[] = []
  readonly #here = new Set<Promise<void>>()
  readonly #open: string[][] = []
  #streams = 0
  #stopped = false

  constructor(services: readonly Service[], partitionOf: (streamId: string) => number, meter: GapMeter, seed: number) {
    this.#services = services
    this.#partitionOf = partitionOf
    this.#meter = meter
    this.#random = new Random(seed)
  }

  start(partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      this.#open.push(Array.from({ length: openStreams }, () => this.newStream(partition)))
      this.#coming.push(this.#come(partition))
    }
  }

  /** Resolves when the last of them is gone. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#coming, ...this.#here])
  }

  /** Adds to the history what somebody did who is none of its clients. */
  note(operation: Omit<AppendOperation, 'id'>): void {
    this.operations.push({ ...operation, id: this.operations.length })
  }

  /** The id of a stream that nobody has used. */
  newStream(partition: number): string {
    for (;;) {
      const streamId = `order-${++this.#streams}`
      if (this.#partitionOf(streamId) !== partition) continue
      this.versions.set(streamId, 0)
      return streamId
    }
  }

  /** A stream that is written to. */
  someStream(partition: number): string {
    return this.#random.pick(this.#open[partition]!)
  }

  async #come(partition: number): Promise<void> {
    const random = this.#random
    const here = new Set<Promise<void>>()
    for (let n = 0; !this.#stopped; await pause(random.between(10, 80))) {
      if (here.size === crowd) continue
      const client = this.#one(`c${partition}.${++n}`, partition).finally(() => {
        here.delete(client)
        this.#here.delete(client)
      })
      here.add(client)
      this.#here.add(client)
    }
  }

  /** Reads, or wants one thing until it is told what became of it. */
  async #one(client: string, partition: number): Promise<void> {
    const random = this.#random
    const streams = this.#open[partition]!
    const at = random.between(0, openStreams - 1)
    if (this.versions.get(streams[at]!)! >= fullAt) streams[at] = this.newStream(partition)
    if (random.chance(0.1)) await this.#read(client, streams[at]!)
    else await this.#command(client, streams[at]!, partition)
  }

  async #command(client: string, streamId: string, partition: number): Promise<void> {
    const random = this.#random
    const expectedVersion = random.chance(0.4) ? this.versions.get(streamId)! : ('any' as const)
    const command = { streamId, commandId: randomUUID(), expectedVersion, refuse: random.chance(0.03) }
    for (let attempt = 0; attempt < attempts && !this.#stopped; attempt++) {
      const told = await this.#attempt(client, command, partition)
      if (told === undefined) await pause(20)
      else if (told === 'appended' || told === 'conflict') {
        // Who is not sure that the answer arrived asks again, and whoever is asked gives the same.
        if (random.chance(0.1)) await this.#attempt(client, command, partition)
        return
      } else if (told === 'refused' && command.refuse) return
      else await pause(random.between(20, 200))
    }
  }

  /** What was told; undefined when nobody could be asked. */
  async #attempt(client: string, command: Command, partition: number): Promise<AppendOutcome['told'] | undefined> {
    const service = this.#anyService()
    if (service === undefined) return undefined
    const random = this.#random
    const { refuse, ...asked } = command
    const eventIds = Array.from({ length: random.chance(0.7) ? 1 : 3 }, () => randomUUID())
    const patience = random.between(1_500, 6_000)
    const start = performance.now()
    const answer = await service.ask({ execute: { ...asked, refuse, eventIds, patience } }, patience + grace)
    const now = performance.now()
    const answered = answer !== undefined && 'execute' in answer
    const outcome: AppendOutcome = answered ? answer.execute : { told: 'unknown', code: 'NO_ANSWER' }
    const called = { id: this.operations.length, client, instance: service.name, start, end: answered ? now : null }
    this.operations.push({ kind: 'append', ...called, ...asked, eventIds, outcome })
    this.#learn(command.streamId, outcome)
    if (outcome.told === 'appended' && !outcome.duplicate) {
      this.acknowledged++
      this.#meter.acknowledged(partition, start, now)
    }
    return outcome.told
  }

  #learn(streamId: string, outcome: AppendOutcome): void {
    const version =
      outcome.told === 'appended' ? outcome.version : outcome.told === 'conflict' ? outcome.actualVersion : 0
    if (version > this.versions.get(streamId)!) this.versions.set(streamId, version)
  }

  async #read(client: string, streamId: string): Promise<void> {
    const service = this.#anyService()
    if (service === undefined) return
    const start = performance.now()
    const { outcome, upTo } = await readAt(service, streamId, this.#random.chance(0.7))
    const called = { id: this.operations.length, client, instance: service.name, start, end: performance.now() }
    const fresh = upTo === undefined ? { strong: true } : { strong: false, upTo }
    this.operations.push({ kind: 'read', ...fresh, ...called, streamId, outcome })
  }

  #anyService(): Service | undefined {
    const trusted = this.#services.filter((service) => service.trusted)
    const candidates = trusted.length > 0 ? trusted : this.#services.filter((service) => service.ready)
    return candidates.length === 0 ? undefined : this.#random.pick(candidates)
  }
}

/** A read by way of an instance. */
export async function readAt(service: Service, streamId: string, strong: boolean): Promise<ReadAnswer> {
  const answer = await service.ask({ read: streamId, strong }, 5_000)
  return answer !== undefined && 'read' in answer ? answer.read : { outcome: { told: 'failed', code: 'NO_ANSWER' } }
}
