// The contract of every adapter, on files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@narrative/core'
import { eventLogContract, eventStoreContract, snapshotStoreContract } from '@narrative/testing'
import { afterAll, describe, test } from 'vitest'
import { embeddedEventStore } from './embedded-event-store.js'
import { LocalPartition } from './local-partition.js'

const root = mkdtempSync(join(tmpdir(), 'narrative-embedded-'))
afterAll(() => rmSync(root, { recursive: true }))

describe.each([1, 4])('the embedded event store, %i partitions', (partitions) => {
  const fresh = () => embeddedEventStore({ directory: mkdtempSync(join(root, 'store-')), partitions, fsync: false })
  for (const { name, run } of eventStoreContract) test(name, () => run(fresh))
  for (const { name, run } of eventLogContract) test(name, () => run(fresh))
})

describe('the snapshots of a partition in a directory', () => {
  const partitions: LocalPartition[] = []
  afterAll(() => Promise.all(partitions.map((partition) => partition.close())))
  const fresh = async () => {
    const directory = mkdtempSync(join(root, 'partition-'))
    const options = { directory, topic: 'test.order.events', partition: 0, sync: false, logger: silentLogger }
    const partition = await LocalPartition.open(options)
    partitions.push(partition)
    return partition.snapshots
  }
  for (const { name, run } of snapshotStoreContract) test(name, () => run(fresh))
})
