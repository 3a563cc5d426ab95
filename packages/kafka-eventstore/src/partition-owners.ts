// The partitions that are this instance's at the moment, as its group decides: gained ones are claimed, lost ones let go.
import type { Logger, PartitionStatus } from '@narrative/core'
import type { TopicDescription } from './driver/kafka-driver.js'
import type { Assignment } from './driver/sticky-assignment.js'
import { handedOver } from './owner-errors.js'
import type { PartitionOwner } from './partition-owner.js'

/** Makes the owner of a partition; it begins to claim at once. */
export type CreateOwner = (topic: TopicDescription, partition: number, patient: boolean) => PartitionOwner

export class PartitionOwners {
  readonly #topics: readonly TopicDescription[]
  readonly #create: CreateOwner
  readonly #logger: Logger
  readonly #owners = new Map<string, PartitionOwner[]>()
  /** Lost ones that still answer what they had in flight. */
  readonly #leaving = new Set<Promise<void>>()
  /** The group's round of the last assignment. */
  #generation = -1
  #opened = false
  #closing = false

  constructor(topics: readonly TopicDescription[], create: CreateOwner, logger: Logger) {
    this.#topics = topics
    this.#create = create
    this.#logger = logger
  }

  /**
   * What is not in it is let go at once; what is new in it is claimed; what stays is not disturbed, as long as it stayed in
   * each round of the group. In a round this instance missed, somebody else may have been given it, and acted.
   * An instance that is closing claims nothing new; what is taken from it, it lets go like any other.
   */
  assign(assignment: Assignment, generation: number): void {
    const missed = generation !== this.#generation + 1
    this.#generation = generation
    const gained: string[] = []
    const lost: string[] = []
    for (const topic of this.#topics) {
      const mine = new Set(assignment[topic.name])
      const row = this.#owners.get(topic.name) ?? []
      this.#owners.set(topic.name, row)
      for (let partition = 0; partition < topic.partitions; partition++) {
        const owner = row[partition]
        if (owner === undefined && mine.has(partition)) {
          if (this.#closing) continue
          gained.push(`${topic.name}/${partition}`)
          row[partition] = this.#create(topic, partition, this.#opened)
        } else if (owner !== undefined && !mine.has(partition)) {
          lost.push(`${topic.name}/${partition}`)
          delete row[partition]
          this.#letGo(owner)
        } else if (owner !== undefined && missed) {
          owner.doubt('this instance was not in its group for a while')
        }
      }
    }
    if (gained.length + lost.length > 0) this.#logger.info({ gained, lost }, changed(gained, lost))
  }

  /** Resolves when everything that was assigned is served; what is gained from then on has all the time it needs. */
  async started(): Promise<void> {
    await Promise.all(this.#all().map((owner) => owner.started))
    this.#opened = true
  }

  get(topic: string, partition: number): PartitionOwner | undefined {
    return this.#owners.get(topic)?.[partition]
  }

  /** Every partition of every topic. */
  status(): readonly PartitionStatus[] {
    return this.#topics.flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition): PartitionStatus => {
        const elsewhere = { topic, partition, state: 'elsewhere', offset: 0, lag: 0, voids: 0, waiting: 0 } as const
        return this.get(topic, partition)?.status ?? elsewhere
      }),
    )
  }

  /** Answers what is under way, and stops. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#all().map((owner) => owner.close()), ...this.#leaving])
  }

  #all(): PartitionOwner[] {
    return [...this.#owners.values()].flatMap((row) => row.filter((owner) => owner !== undefined))
  }

  #letGo(owner: PartitionOwner): void {
    const leaving = owner.release(handedOver(owner.topic, owner.partition)).finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}

function changed(gained: readonly string[], lost: readonly string[]): string {
  const parts = [
    gained.length > 0 ? `gained ${gained.join(', ')}` : '',
    lost.length > 0 ? `lost ${lost.join(', ')}` : '',
  ]
  return `This instance ${parts.filter((part) => part !== '').join(' and ')}`
}
