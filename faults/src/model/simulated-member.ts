// A member of the simulated group, as the real driver's: it says that it lives, joins again when asked to, and knows how
// long it can be sure of what it has.
import { NarrativeError } from '@narrative/core'
import type { Assignment, Joined, Shared, SimulatedGroup } from './simulated-group.js'
import type { VirtualTime } from './virtual-time.js'

/** Asks the coordinator until it answers; rejects when nobody does. */
export type AskCoordinator = <T>(serve: (answer: (value: T) => void) => void, patience?: number) => Promise<T>

export interface MemberOptions extends Shared {
  onAssigned(assignment: Assignment, generation: number): void
}

export class SimulatedMember {
  sureUntil = 0
  readonly #time: VirtualTime
  readonly #group: SimulatedGroup
  readonly #name: string
  readonly #ask: AskCoordinator
  readonly #options: MemberOptions
  #contact = 0
  #generation = -1
  #left = false
  #talking: Promise<void> = Promise.resolve()

  constructor(time: VirtualTime, group: SimulatedGroup, name: string, ask: AskCoordinator, options: MemberOptions) {
    this.#time = time
    this.#group = group
    this.#name = name
    this.#ask = ask
    this.#options = options
  }

  get silentFor(): number {
    return this.#time.now - this.#contact
  }

  async start(): Promise<void> {
    await this.#join()
    void this.#stay()
  }

  /** As the real one it never gives up: whoever claimed without the group's word would steal from the owner. */
  async confirm(): Promise<void> {
    const since = this.#time.now
    while (this.#contact < since && !this.#left) {
      await this.#alone(async () => {
        if (!this.#left && !(await this.#beat())) await this.#join()
      }).catch(() => this.#time.sleep(100))
    }
  }

  committed(topic: string, partition: number): Promise<number | undefined> {
    return this.#ask((answer) => answer(this.#group.committed(`${topic}/${partition}`)))
  }

  async commit(topic: string, partition: number, offset: number): Promise<void> {
    const generation = this.#generation
    const place = `${topic}/${partition}`
    let over = false // the port's promise: what was given up does not undo a later one
    const taken = await this.#ask<boolean>((answer) => {
      if (!over) answer(this.#group.commit(this.#name, generation, place, offset))
    }).finally(() => {
      over = true
    })
    if (!taken) throw new NarrativeError('BROKER_REFUSED', { message: 'The generation is over.', details: {} })
  }

  async leave(): Promise<void> {
    this.#left = true
    this.sureUntil = 0
    await this.#ask<void>((answer) => answer(this.#group.leave(this.#name, this.#options))).catch(() => {})
  }

  async #stay(): Promise<void> {
    while (!this.#left) {
      await this.#time.sleep(this.#options.sessionTimeout / 8)
      // Whatever keeps the coordinator from answering passes, or the session does.
      await this.#alone(async () => {
        if (!this.#left && !(await this.#beat())) await this.#join()
      }).catch(() => {})
    }
  }

  /** One conversation with the coordinator at a time: a word of before a join says nothing about after it. */
  #alone(talk: () => Promise<void>): Promise<void> {
    const turn = this.#talking.catch(() => {}).then(talk)
    this.#talking = turn
    return turn
  }

  async #beat(): Promise<boolean> {
    const sent = this.#time.now
    const generation = this.#generation
    const fine = await this.#ask<boolean>((answer) =>
      answer(this.#group.heartbeat(this.#name, generation, this.#options)),
    )
    if (!fine || generation !== this.#generation || this.#left) return fine
    this.#isSure(sent)
    return true
  }

  async #join(): Promise<void> {
    this.sureUntil = 0 // from here on somebody else may be given what was ours
    const { sessionTimeout, onAssigned } = this.#options
    while (!this.#left) {
      let over = false // a request that was given up ends with its connection, and joins nobody later
      const joined = await this.#ask<Joined>((answer) => {
        if (!over) this.#group.join(this.#name, this.#options, answer)
      }, 2 * sessionTimeout)
      over = true
      const sent = this.#time.now
      const fine = await this.#ask<boolean>((answer) =>
        answer(this.#group.heartbeat(this.#name, joined.generation, this.#options)),
      )
      if (!fine) continue
      this.#generation = joined.generation
      onAssigned(joined.assignment, joined.generation)
      this.#isSure(sent)
      return
    }
  }

  #isSure(sent: number): void {
    this.#contact = this.#time.now
    this.sureUntil = sent + (this.#options.sessionTimeout * 2) / 3
  }
}
