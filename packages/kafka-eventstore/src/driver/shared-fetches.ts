// Fetches of several followers from one broker in one request. An answer to one of them ends the wait of all.
//
// Whoever asks in the same turn of the event loop shares a request; followers that were answered together ask again
// together, and those that ask at different times meet as soon as both have traffic. Nobody ever waits for another.
import type { BrokerAddress } from './broker-address.js'
import type { ClusterClient } from './cluster-client.js'
import { type FetchAnswer, fetchRequest, readFetchAnswer } from './fetch-request.js'
import type { FetchRequest } from './kafka-driver.js'

interface Waiting {
  readonly request: FetchRequest
  resolve(answer: FetchAnswer): void
  reject(failure: unknown): void
}

export class SharedFetches {
  readonly #client: ClusterClient
  readonly #address: BrokerAddress
  #waiting: Waiting[] = []

  constructor(client: ClusterClient, address: BrokerAddress) {
    this.#client = client
    this.#address = address
  }

  fetch(request: FetchRequest): Promise<FetchAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => void this.#send(this.#waiting.splice(0)))
      this.#waiting.push({ request, resolve, reject })
    })
  }

  /** Settles all of them, and so never throws. */
  async #send(waiting: readonly Waiting[]): Promise<void> {
    try {
      const requests = waiting.map(({ request }) => request)
      const answer = await fetchTogether(this.#client, this.#address, requests)
      waiting.forEach(({ resolve }, index) => {
        resolve(answer[index]!)
      })
    } catch (failure) {
      for (const { reject } of waiting) reject(failure)
    }
  }
}

/** One request, on a connection of its own: a fetch may wait at the broker, and holds up what is behind it. */
export async function fetchTogether(
  { links, settings }: ClusterClient,
  address: BrokerAddress,
  requests: readonly FetchRequest[],
): Promise<readonly FetchAnswer[]> {
  const frame = fetchRequest(requests, settings.clientId, settings.requestTimeout)
  const link = await links.lease(address)
  const answer = readFetchAnswer(await link.send(frame).finally(() => links.giveBack(link)))
  link.throttle(answer.throttle)
  return requests.map((request) => answer.of(request))
}
