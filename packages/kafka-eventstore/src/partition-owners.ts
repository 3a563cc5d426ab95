// What this instance has of each partition at the moment, as its group decides: gained ones are claimed, lost ones let
// go, and some of the others' are followed.
import type { Logger, PartitionStatus } from '@narrative/core'
import type { TopicDescription } from './driver/kafka-driver.js'
import type { Assignment } from './driver/sticky-assignment.js'
import { absentMeanwhile, handedOver } from './owner-errors.js'
import type { PartitionFollower } from './partition-follower.js'
import type { PartitionOwner } from './partition-owner.js'
import { PartitionSeat, type Roles } from './partition-seat.js'
import type { Replica } from './replica/replica.js'

/** How long others are to own what a full disk ended here, milliseconds: time for somebody to make room. */
const restAfterFailure = 10 * 60_000

export class PartitionOwners {
  /** By topic and partition. */
  readonly #seats: ReadonlyMap<string, readonly PartitionSeat[]>
  readonly #logger: Logger
  /** What failed for its disk, once it was counted. */
  readonly #failures = new WeakSet<PartitionOwner | PartitionFollower>()
  #unfitUntil = 0
  /** The group's round of the last assignment. */
  #generation = -1
  #opened = false
  #closing = false

  constructor(topics: readonly TopicDescription[], roles: Roles, logger: Logger) {
    const row = (topic: TopicDescription) =>
      Array.from({ length: topic.partitions }, (_, partition) => new PartitionSeat(topic, partition, roles))
    this.#seats = new Map(topics.map((topic) => [topic.name, row(topic)]))
    this.#logger = logger
  }

  /**
   * What is not in it is let go at once; what is new in it is claimed; what stays is not disturbed, as long as it stayed in
   * each round of the group. In a round this instance missed, somebody else may have been given it, and acted: then it is lost
   * and claimed anew, with all that was under way.
   * An instance that is closing claims nothing new; what is taken from it, it lets go like any other.
   */
  assign(assignment: Assignment, generation: number, followed: Assignment = {}): void {
    const missed = generation !== this.#generation + 1
    this.#generation = generation
    const gained: string[] = []
    const lost: string[] = []
    for (const [topic, row] of this.#seats) {
      const mine = new Set(assignment[topic])
      const copied = new Set(this.#closing ? [] : followed[topic])
      for (const [partition, seat] of row.entries()) {
        const stays = seat.owner !== undefined && !seat.owner.failed && !missed
        if (mine.has(partition) && stays) continue
        if (mine.has(partition) && !this.#closing) {
          gained.push(seat.name)
          seat.own(this.#opened, absentMeanwhile(topic, partition))
          continue
        }
        if (seat.owner !== undefined) lost.push(seat.name)
        if (!copied.has(partition)) seat.leave(handedOver(topic, partition))
        else if (seat.follower === undefined || seat.follower.failed) seat.follow(handedOver(topic, partition))
      }
    }
    if (gained.length + lost.length > 0) this.#logger.info({ gained, lost }, changed(gained, lost))
  }

  /** Resolves when everything that was assigned is served; what is gained from then on has all the time it needs. */
  async started(): Promise<void> {
    await Promise.all(this.#all().map(({ owner }) => owner?.started))
    this.#opened = true
  }

  get(topic: string, partition: number): PartitionOwner | undefined {
    return this.#seats.get(topic)?.[partition]?.owner
  }

  /** What is here of a partition, however fresh. */
  copy(topic: string, partition: number): Replica | undefined {
    return this.#seats.get(topic)?.[partition]?.copy
  }

  /** What is served here, and what could be at once. */
  warm(): Assignment {
    const numbers = (row: readonly PartitionSeat[]) => [...row.keys()].filter((partition) => row[partition]!.warm)
    return Object.fromEntries([...this.#seats].map(([topic, row]) => [topic, numbers(row)]))
  }

  /** Whether this instance has given up a partition or a copy of late because of its disk: for a while others are to own. */
  unfit(): boolean {
    for (const role of this.#all().flatMap(({ owner, follower }) => owner ?? follower ?? [])) {
      if (!role.diskFailed || this.#failures.has(role)) continue
      this.#failures.add(role)
      this.#unfitUntil = performance.now() + restAfterFailure
    }
    return performance.now() < this.#unfitUntil
  }

  /** Every partition of every topic. */
  status(): readonly PartitionStatus[] {
    return this.#all().map((seat) => seat.status)
  }

  /** Answers what is under way, and stops. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#all().map((seat) => seat.close()))
  }

  #all(): readonly PartitionSeat[] {
    return [...this.#seats.values()].flat()
  }
}

function changed(gained: readonly string[], lost: readonly string[]): string {
  const parts = [
    gained.length > 0 ? `gained ${gained.join(', ')}` : '',
    lost.length > 0 ? `lost ${lost.join(', ')}` : '',
  ]
  return `This instance ${parts.filter((part) => part !== '').join(' and ')}`
}
