// One partition at this instance: owned, followed or neither, one after the other, and all on one replica.
//
// So whoever followed a partition owns it after reading the tail, and whoever owned it follows it from where it was.
import type { NarrativeError, PartitionStatus } from '@narrative/core'
import type { TopicDescription } from './driver/kafka-driver.js'
import type { PartitionFollower } from './partition-follower.js'
import type { PartitionOwner } from './partition-owner.js'
import type { Replica } from './replica/replica.js'

/** What a role begins with. */
export interface Beginning {
  readonly topic: TopicDescription
  readonly partition: number
  readonly replica: Replica
  /** Resolves when whoever had the replica before is done with it. */
  readonly vacated: Promise<unknown>
}

/** Makes what sits on a seat. */
export interface Roles {
  /** @param onFailure told when it can go on no further */
  replica(topic: TopicDescription, partition: number, onFailure: (failure: NarrativeError) => void): Replica
  /** It begins to claim at once. @param patient it has all the time it needs */
  owner(beginning: Beginning, patient: boolean): PartitionOwner
  follower(beginning: Beginning): PartitionFollower
}

export class PartitionSeat {
  owner: PartitionOwner | undefined
  follower: PartitionFollower | undefined
  readonly #topic: TopicDescription
  readonly #partition: number
  readonly #roles: Roles
  #replica: Replica | undefined
  /** What was left and is not over yet. */
  #ending: Promise<unknown> = Promise.resolve()

  constructor(topic: TopicDescription, partition: number, roles: Roles) {
    this.#topic = topic
    this.#partition = partition
    this.#roles = roles
  }

  get name(): string {
    return `${this.#topic.name}/${this.#partition}`
  }

  get status(): PartitionStatus {
    const role = this.owner ?? this.follower
    if (role !== undefined) return role.status
    const [topic, partition] = [this.#topic.name, this.#partition]
    return { topic, partition, state: 'elsewhere', offset: 0, lag: 0, voids: 0, waiting: 0 }
  }

  /** What can be looked up here, however fresh. */
  get copy(): Replica | undefined {
    return (this.owner ?? this.follower)?.copy
  }

  /** Could be served here at once, or is. */
  get warm(): boolean {
    return this.owner?.warm === true || this.follower?.warm === true
  }

  /** @param loss what callers hear whose appends waited for the owner that was here before */
  own(patient: boolean, loss: NarrativeError): void {
    const beginning = this.#begin(loss)
    this.owner = this.#roles.owner(beginning, patient)
  }

  /** @param loss what callers hear to whom its owner can say nothing else any more */
  follow(loss: NarrativeError): void {
    const beginning = this.#begin(loss)
    this.follower = this.#roles.follower(beginning)
  }

  /** Neither owned nor followed any more; what was in flight is still answered. */
  leave(loss: NarrativeError): void {
    this.#discard(this.#vacate(loss))
  }

  /** Answers what is under way, and lets go. */
  async close(): Promise<void> {
    await this.owner?.close()
    await this.follower?.release()
    this.follower = undefined
    this.#discard(Promise.resolve())
    await this.#ending
  }

  #begin(loss: NarrativeError): Beginning {
    const failed = this.owner?.failed || this.follower?.failed
    const vacated = this.#vacate(loss)
    if (failed) this.#discard(vacated)
    const [topic, partition] = [this.#topic, this.#partition]
    if (this.#replica !== undefined) return { topic, partition, replica: this.#replica, vacated }
    this.#replica = this.#roles.replica(topic, partition, ({ message }) => this.owner?.doubt(message))
    return { topic, partition, replica: this.#replica, vacated: Promise.resolve() }
  }

  #vacate(loss: NarrativeError): Promise<unknown> {
    const { owner, follower } = this
    this.owner = undefined
    this.follower = undefined
    return Promise.all([owner?.release(loss), follower?.release()])
  }

  #discard(vacated: Promise<unknown>): void {
    const replica = this.#replica
    this.#replica = undefined
    const over = vacated.then(() => replica?.close?.())
    this.#ending = Promise.all([this.#ending, over])
  }
}
