// A writer that ignores the group: it takes a partition and writes to it, by the rules or under a claim that is over.
import { randomUUID } from 'node:crypto'
import { type KafkaDriver, kafkajsDriver, type ProducerIdentity } from '@narrative/kafka-eventstore'
import type { AppendOperation, AppendOutcome } from '../checker/history.js'

/** How many records at the end of a partition are looked through for a stream's version. */
const tail = 1_000

/** What it did, for the history. */
export type RogueAppend = Omit<AppendOperation, 'id'>

export class Rogue {
  readonly #driver: KafkaDriver
  readonly #topic: string
  readonly #partitions: number

  static async open(brokers: readonly string[], topic: string, partitions: number): Promise<Rogue> {
    const driver = kafkajsDriver({ brokers, clientId: 'rogue', requestTimeout: 5_000 })
    await driver.connect()
    return new Rogue(driver, topic, partitions)
  }

  private constructor(driver: KafkaDriver, topic: string, partitions: number) {
    this.#driver = driver
    this.#topic = topic
    this.#partitions = partitions
  }

  close(): Promise<void> {
    return this.#driver.close()
  }

  /** Fences the owner of a partition, and does no more. */
  fence(partition: number): Promise<ProducerIdentity> {
    return this.#driver.initProducerId(`${this.#topic}-${partition}`)
  }

  /**
   * Claims the partition and appends under its own claim, by the rules of the log.
   * @param known a version that the stream had before this call
   */
  async append(partition: number, streamId: string, known: number): Promise<RogueAppend> {
    const identity = await this.fence(partition)
    const claim = randomUUID()
    const header = { key: 'nv', value: `claim ${claim} ${this.#partitions}` }
    const claimed = await this.#produce(partition, identity, 0, { key: null, value: '{}', headers: [header] })
    if (claimed.outcome !== 'done') return this.#write(partition, streamId, known + 1, claim)
    const { version } = await this.#lookBack(partition, streamId, claimed.baseOffset)
    const next = Math.max(known, version) + 1
    return this.#write(partition, streamId, next, claim, { identity, sequence: 1 })
  }

  /**
   * Appends under a claim that another one followed: as the successor of the owner, whom it fences, or under a name of
   * its own, which the broker lets in.
   */
  async stray(partition: number, streamId: string, known: number, fencing: boolean): Promise<RogueAppend> {
    const { end } = await this.#driver.offsets(this.#topic, partition)
    const { claims } = await this.#lookBack(partition, streamId, end)
    // An owner may write its claim again, to be sure that it still is one.
    const old = claims.findLast((claim) => claim !== claims.at(-1)) ?? randomUUID()
    const identity = fencing ? await this.fence(partition) : await this.#driver.initProducerId(`rogue-${randomUUID()}`)
    const as = { identity, sequence: 0 }
    const written = await this.#write(partition, streamId, known + 1, old, as)
    return { ...written, outcome: { told: 'unknown', code: 'ROGUE' }, outsider: 'under an old claim' }
  }

  /** What the last records before an offset say: the stream's version, 0 when it is not among them, and the claims. */
  async #lookBack(partition: number, streamId: string, end: number) {
    const claims: string[] = []
    let version = 0
    for (let offset = Math.max(0, end - tail); offset < end; ) {
      const asked = { topic: this.#topic, partition, offset, maxBytes: 1024 * 1024, maxWait: 500 }
      const { records, nextOffset } = await this.#driver.fetch(asked)
      for (const record of records) {
        const stamp = record.header('nv')!
        if (record.key === null) claims.push(stamp.split(' ')[1]!)
        else if (record.key.toString() === streamId) version = Number.parseInt(stamp, 10)
      }
      offset = nextOffset
    }
    return { version, claims }
  }

  /** Nothing is sent without an identity: then its claim was not had. */
  async #write(
    partition: number,
    streamId: string,
    version: number,
    claim: string,
    as?: { identity: ProducerIdentity; sequence: number },
  ): Promise<RogueAppend> {
    const commandId = randomUUID()
    const mark = randomUUID()
    const headers = [
      { key: 'nv', value: `${version} 1 0/1 ${claim} ${commandId} = =` },
      { key: 'ce_id', value: mark },
      { key: 'ce_type', value: 'order.placed' },
      { key: 'content-type', value: 'application/json' },
    ]
    const record = { key: streamId, value: JSON.stringify({ mark, upon: version - 1 }), headers }
    const start = performance.now()
    const sent = as && (await this.#produce(partition, as.identity, as.sequence, record))
    const position = { topic: this.#topic, partition, offset: sent?.outcome === 'done' ? sent.baseOffset : -1 }
    const outcome: AppendOutcome =
      sent?.outcome === 'done'
        ? { told: 'appended', firstVersion: version, version, position, duplicate: false, eventIds: [mark] }
        : { told: sent?.outcome === 'unknown' ? 'unknown' : 'refused', code: 'ROGUE' }
    return {
      ...{ kind: 'append', client: 'rogue', instance: 'rogue', start, end: performance.now(), streamId, commandId },
      ...{ expectedVersion: 'any', eventIds: [mark], outcome, outsider: 'under its own claim' },
    }
  }

  #produce(
    partition: number,
    identity: ProducerIdentity,
    sequence: number,
    record: { key: string | null; value: string; headers: { key: string; value: string }[] },
  ) {
    const { key, value, headers } = record
    const records = [{ key: key === null ? null : Buffer.from(key), value: Buffer.from(value), headers }]
    return this.#driver.produce({ topic: this.#topic, partition, identity, sequence, time: Date.now(), records })
  }
}
