// The batches on their way to one broker. Those of a moment travel in one request: the identity stands in each batch.
//
// Requests are what costs, at both ends: with 32 partitions busy, one for each batch took twice the processor time of
// the commands they carried. But an answer comes only when all its batches are settled, so one slow partition would hold
// up the others. Hence a request that takes long stops counting against those that may be under way, and a partition
// whose last answer took long travels alone until it is quick again.
import type { BrokerAddress } from './broker-address.js'
import type { ClusterClient } from './cluster-client.js'
import type { RecordBatch } from './kafka-driver.js'
import { type ProduceAnswer, produceRequest, readProduceAnswer } from './produce-request.js'
import { MeasuredBatch } from './record-batch-encoder.js'

interface Waiting {
  readonly batch: RecordBatch
  readonly measured: MeasuredBatch
  resolve(answer: ProduceAnswer): void
  reject(failure: unknown): void
}

/** Requests under way; what comes meanwhile gathers for the next. */
const maxRequests = 2
/** Milliseconds from which on an answer is slow. */
const slow = 200
/** Far below what a broker accepts, so that nothing depends on its settings (`socket.request.max.bytes`, 100 MiB). */
const maxBytes = 16 * 1024 * 1024

export class ProduceQueue {
  readonly #client: ClusterClient
  readonly #address: BrokerAddress
  readonly #slow = new Set<string>()
  #waiting: Waiting[] = []
  #gathering = false
  #underWay = 0

  constructor(client: ClusterClient, address: BrokerAddress) {
    this.#client = client
    this.#address = address
  }

  /**
   * Sends a batch once.
   *
   * @throws ConnectionFailure which knows whether it was written; NarrativeError when the broker refuses us
   */
  send(batch: RecordBatch): Promise<ProduceAnswer> {
    const measured = new MeasuredBatch(batch)
    return new Promise((resolve, reject) => {
      const waiting = { batch, measured, resolve, reject }
      if (this.#slow.has(nameOf(batch))) return void this.#request([waiting])
      this.#waiting.push(waiting)
      this.#gather()
    })
  }

  /** One turn of the event loop: partitions that were answered together are ready together again. */
  #gather(): void {
    if (this.#gathering || this.#waiting.length === 0 || this.#underWay === maxRequests) return
    this.#gathering = true
    setImmediate(() => {
      this.#gathering = false
      this.#underWay++
      let counts = true
      const over = () => {
        if (counts) this.#underWay--
        counts = false
        this.#gather()
      }
      const timer = setTimeout(over, slow)
      void this.#request(this.#take()).finally(() => {
        clearTimeout(timer)
        over()
      })
      this.#gather()
    })
  }

  /** In the order of arrival; a request holds one batch of a partition at most. */
  #take(): Waiting[] {
    const taken = new Map<string, Waiting>()
    const left: Waiting[] = []
    let bytes = 0
    for (const waiting of this.#waiting) {
      const name = nameOf(waiting.batch)
      bytes += waiting.measured.size
      if (taken.has(name) || (taken.size > 0 && bytes > maxBytes)) left.push(waiting)
      else taken.set(name, waiting)
    }
    this.#waiting = left
    return [...taken.values()]
  }

  /** Settles all of them, and so never throws. */
  async #request(batches: readonly Waiting[]): Promise<void> {
    const { links, settings } = this.#client
    const began = performance.now()
    try {
      const measured = batches.map((waiting) => waiting.measured)
      const frame = produceRequest(measured, settings.clientId, settings.requestTimeout)
      const link = await links.lease(this.#address)
      const answer = readProduceAnswer(await link.send(frame).finally(() => links.giveBack(link)))
      link.throttle(answer.throttle)
      for (const { batch, resolve } of batches) resolve(answer.of(batch))
    } catch (failure) {
      for (const { reject } of batches) reject(failure)
    }
    const wasSlow = performance.now() - began > slow
    for (const { batch } of batches) {
      if (wasSlow) this.#slow.add(nameOf(batch))
      else this.#slow.delete(nameOf(batch))
    }
  }
}

function nameOf({ topic, partition }: RecordBatch): string {
  return `${topic}/${partition}`
}
