// The connections of a driver: some shared by slot, and one for each produce and each fetch under way.
//
// A broker works on one request per connection at a time: a produce that waits for its replicas, or a fetch that waits
// for its first record, holds up what is behind it. So each of them has a connection to itself, taken from the idle
// ones. There are few: those of a moment share a request (produce-queue.ts, shared-fetches.ts).
import { type BrokerAddress, formatAddress } from './broker-address.js'
import type { BrokerLink } from './broker-link.js'

/** Opens a connection. */
export type OpenLink = (address: BrokerAddress) => Promise<BrokerLink>

export class BrokerLinks {
  readonly #shared = new Map<string, Promise<BrokerLink>>()
  readonly #idle = new Map<string, BrokerLink[]>()
  readonly #all = new Set<BrokerLink>()
  #closedFor: Error | undefined

  constructor(private readonly open: OpenLink) {}

  /** The connection of a slot, opened when there is none or it was lost. */
  async shared(address: BrokerAddress, slot: string): Promise<BrokerLink> {
    const key = `${formatAddress(address)} ${slot}`
    const known = this.#shared.get(key)
    if (known !== undefined) {
      const link = await known
      if (link.usable) return link
      if (this.#shared.get(key) === known) {
        this.#shared.delete(key)
        this.#forget(link)
      }
      return this.shared(address, slot)
    }
    const opening = this.#openNew(address)
    this.#shared.set(key, opening)
    opening.catch(() => {
      if (this.#shared.get(key) === opening) this.#shared.delete(key)
    })
    return opening
  }

  /** A connection for one caller alone, until it is given back. */
  async lease(address: BrokerAddress): Promise<BrokerLink> {
    const idle = this.#idle.get(formatAddress(address)) ?? []
    for (let link = idle.pop(); link !== undefined; link = idle.pop()) {
      if (link.usable) return link
      this.#forget(link)
    }
    return this.#openNew(address)
  }

  /**
   * Gives a leased connection back, once its answer is in. One that failed takes the idle ones to its broker with it: a
   * network that swallowed a request may have swallowed them all, and each would be found out by a timeout of its own.
   */
  giveBack(link: BrokerLink): void {
    const idle = this.#idle.get(link.address) ?? []
    if (link.usable) {
      this.#idle.set(link.address, [...idle, link])
      return
    }
    this.#idle.delete(link.address)
    for (const useless of [link, ...idle]) this.#forget(useless)
  }

  /** Fails everything in flight and opens nothing any more. */
  close(reason: Error): void {
    this.#closedFor = reason
    for (const link of this.#all) link.close(reason)
    this.#all.clear()
    this.#shared.clear()
    this.#idle.clear()
  }

  async #openNew(address: BrokerAddress): Promise<BrokerLink> {
    if (this.#closedFor) throw this.#closedFor
    const link = await this.open(address)
    if (this.#closedFor) {
      link.close(this.#closedFor)
      throw this.#closedFor
    }
    this.#all.add(link)
    return link
  }

  #forget(link: BrokerLink): void {
    this.#all.delete(link)
    link.retire()
  }
}
