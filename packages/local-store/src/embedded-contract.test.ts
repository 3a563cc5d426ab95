// The contract of every adapter, on files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventLogContract, eventStoreContract } from '@narrative/testing'
import { afterAll, describe, test } from 'vitest'
import { embeddedEventStore } from './embedded-event-store.js'

const root = mkdtempSync(join(tmpdir(), 'narrative-embedded-'))
afterAll(() => rmSync(root, { recursive: true }))

describe.each([1, 4])('the embedded event store, %i partitions', (partitions) => {
  const fresh = () => embeddedEventStore({ directory: mkdtempSync(join(root, 'store-')), partitions, fsync: false })
  for (const { name, run } of eventStoreContract) test(name, () => run(fresh))
  for (const { name, run } of eventLogContract) test(name, () => run(fresh))
})
