// A group coordinator as Kafka's: everybody joins anew at each change, and who is silent for too long is left out.
//
// What a member had is given to another only when that member has joined again, or after a session timeout without a
// word from it. So a member may trust what it has for a while after each word it got.
import type { VirtualTime } from './virtual-time.js'

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

/** What is shared. */
export interface Shared {
  readonly topics: readonly { readonly name: string; readonly partitions: number }[]
  /** Milliseconds. */
  readonly sessionTimeout: number
}

export interface Joined {
  readonly generation: number
  readonly assignment: Assignment
}

interface Member {
  heard: number
  owned: readonly string[]
  /** Set while it waits for the round to end. */
  answer: ((joined: Joined) => void) | undefined
}

export class SimulatedGroup {
  readonly #time: VirtualTime
  readonly #members = new Map<string, Member>()
  readonly #offsets = new Map<string, number>()
  #generation = 0
  /** When the round of joining ends at the latest; undefined when there is none. */
  #deadline: number | undefined

  constructor(time: VirtualTime) {
    this.#time = time
  }

  join(name: string, shared: Shared, answer: (joined: Joined) => void): void {
    this.#expire(shared)
    const member = this.#members.get(name) ?? { heard: 0, owned: [], answer: undefined }
    this.#members.set(name, member)
    member.heard = this.#time.now
    member.answer = answer
    this.#begin(shared)
    this.#finish(shared)
  }

  /** Whether it still is a member, with what it was told. */
  heartbeat(name: string, generation: number, shared: Shared): boolean {
    this.#expire(shared)
    const member = this.#members.get(name)
    if (member === undefined) return false
    member.heard = this.#time.now
    return this.#deadline === undefined && generation === this.#generation
  }

  leave(name: string, shared: Shared): void {
    if (this.#members.delete(name)) this.#begin(shared)
    this.#finish(shared)
  }

  committed(partition: string): number | undefined {
    return this.#offsets.get(partition)
  }

  /** @returns false when it comes from somebody who may not say so any more */
  commit(name: string, generation: number, partition: string, offset: number): boolean {
    if (!this.#members.has(name) || generation !== this.#generation) return false
    this.#offsets.set(partition, offset)
    return true
  }

  #begin(shared: Shared): void {
    if (this.#deadline !== undefined) return
    this.#deadline = this.#time.now + shared.sessionTimeout
    this.#time.after(shared.sessionTimeout, () => this.#finish(shared), 'cluster')
  }

  #expire(shared: Shared): void {
    const { now } = this.#time
    for (const [name, member] of this.#members) {
      if (member.answer !== undefined || now - member.heard < shared.sessionTimeout) continue
      this.#members.delete(name)
      this.#begin(shared)
    }
  }

  #finish(shared: Shared): void {
    if (this.#deadline === undefined) return
    const missing = [...this.#members].filter(([, member]) => member.answer === undefined)
    if (missing.length > 0 && this.#time.now < this.#deadline) return
    for (const [name] of missing) this.#members.delete(name)
    this.#deadline = undefined
    this.#generation++
    const share = this.#share(shared)
    for (const [name, member] of this.#members) {
      member.heard = this.#time.now
      member.owned = share.get(name) ?? []
      const assignment: Record<string, number[]> = {}
      for (const partition of member.owned) {
        const [topic, number] = [partition.slice(0, partition.lastIndexOf('/')), partition.split('/').at(-1)]
        assignment[topic] = [...(assignment[topic] ?? []), Number(number)]
      }
      member.answer?.({ generation: this.#generation, assignment })
      member.answer = undefined
    }
    // Whoever dies now is noticed although nobody else says a word.
    this.#time.after(shared.sessionTimeout + 1, () => this.#expire(shared), 'cluster')
  }

  /** Evenly, and to whom it belonged as far as that is even. */
  #share({ topics }: Shared): Map<string, string[]> {
    const partitions = topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, n) => `${name}/${n}`),
    )
    const names = [...this.#members.keys()]
    const share = new Map(names.map((name) => [name, [] as string[]]))
    if (names.length === 0) return share
    const most = Math.ceil(partitions.length / names.length)
    const free = partitions.filter((partition) => {
      const owner = names.find((name) => this.#members.get(name)!.owned.includes(partition))
      if (owner === undefined || share.get(owner)!.length >= most) return true
      share.get(owner)!.push(partition)
      return false
    })
    for (const partition of free) {
      const [poorest] = names.sort((a, b) => share.get(a)!.length - share.get(b)!.length)
      share.get(poorest!)!.push(partition)
    }
    return share
  }
}
