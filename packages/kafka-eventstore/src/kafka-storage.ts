// The opened store as an application holds it: its ports, how it fares, and how it ends.
import type { EventLog, EventStore, OpenStorage, PartitionStatus, SnapshotStore } from '@narrative/core'
import type { KafkaDriver, Membership } from './driver/kafka-driver.js'
import type { Settings } from './options.js'
import { storeClosed } from './owner-errors.js'
import type { PartitionOwners } from './partition-owners.js'
import type { KafkaCommandRouter } from './routing/kafka-command-router.js'

/** What an opened store is made of. */
export interface StorageParts {
  readonly settings: Settings
  readonly driver: KafkaDriver
  readonly eventStore: EventStore
  readonly eventLog: EventLog
  // None of these in a process that only reads.
  readonly snapshots: SnapshotStore | undefined
  readonly owners?: PartitionOwners
  readonly router?: KafkaCommandRouter
  readonly membership?: Membership
  /** Aborted when closing begins: nothing new is taken. */
  readonly closing: AbortController
  /** Aborted when nothing is under way any more: readers end. */
  readonly closed: AbortController
}

export class KafkaStorage implements OpenStorage {
  readonly eventStore: EventStore
  readonly eventLog: EventLog
  readonly snapshots: SnapshotStore | undefined
  readonly router: KafkaCommandRouter | undefined
  readonly #parts: StorageParts
  #ended: Promise<void> | undefined

  constructor(parts: StorageParts) {
    this.#parts = parts
    this.eventStore = parts.eventStore
    this.eventLog = parts.eventLog
    this.snapshots = parts.snapshots
    this.router = parts.router
  }

  status(): readonly PartitionStatus[] {
    return this.#parts.owners?.status() ?? []
  }

  health() {
    const { closing, settings, membership } = this.#parts
    if (closing.signal.aborted) return { ready: false, reasons: ['The event store was closed.'] }
    // A copy that is behind, or none, keeps nobody from serving what is owned.
    const reasons = this.status().flatMap(({ state, reason }) => (state === 'following' ? [] : (reason ?? [])))
    if (membership?.failure !== undefined) return { ready: false, reasons: [membership.failure.message, ...reasons] }
    const { group, sessionTimeout } = settings
    const silent = membership?.silentFor ?? 0
    // Three session timeouts: a rebalance may wait for two of them.
    if (silent > 3 * sessionTimeout) {
      reasons.push(`The group ${group} has not answered for ${Math.round(silent / 1000)} s.`)
    }
    return { ready: reasons.length === 0, reasons }
  }

  close(): Promise<void> {
    this.#ended ??= this.#close()
    return this.#ended
  }

  /** Drain, hand over, leave. */
  async #close(): Promise<void> {
    const { closing, closed, owners, membership, router, driver } = this.#parts
    closing.abort(storeClosed())
    await owners?.close()
    await membership?.leave()
    await router?.close()
    closed.abort(storeClosed())
    await driver.close()
  }
}
