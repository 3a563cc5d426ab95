// Contract of command ids: a command sent twice to one stream acts once and gets the same answer.
import assert from 'node:assert/strict'
import { storageCase } from './storage-scenario.js'

export const eventStoreDuplicates = [
  storageCase('an append repeated under its command id gets the first answer and writes nothing', async (store) => {
    const first = await store.appended('order-1', 3, { expectedVersion: 0, commandId: 'c1' })
    assert.equal(first.duplicate, false)
    await store.appended('order-1', 1)
    const again = await store.appended('order-1', 2, { expectedVersion: 4, commandId: 'c1' })
    assert.deepEqual(again, { ...first, duplicate: true })
    assert.equal((await store.readAll('order-1')).length, 4)
  }),

  storageCase('the command id is looked at before the version', async (store) => {
    const first = await store.appended('order-1', 1, { expectedVersion: 0, commandId: 'c1' })
    for (const expectedVersion of [0, 7, 'any'] as const) {
      const again = await store.append('order-1', 1, { expectedVersion, commandId: 'c1' })
      assert.deepEqual(again, { ...first, duplicate: true }, `expected version ${expectedVersion}`)
    }
  }),

  storageCase('a command that met a conflict may append later under its id', async (store) => {
    await store.appended('order-1', 1)
    assert.equal((await store.append('order-1', 1, { expectedVersion: 0, commandId: 'c1' })).outcome, 'conflict')
    assert.equal(await store.eventStore.findCommand('order-1', 'c1'), undefined)
    const later = await store.appended('order-1', 1, { expectedVersion: 1, commandId: 'c1' })
    assert.deepEqual([later.version, later.duplicate], [2, false])
    assert.equal((await store.appended('order-1', 1, { expectedVersion: 1, commandId: 'c1' })).duplicate, true)
  }),

  storageCase('a command id counts within its stream alone', async (store) => {
    for (const streamId of ['order-1', 'order-2', 'customer-1']) {
      assert.equal((await store.appended(streamId, 1, { expectedVersion: 0, commandId: 'c1' })).duplicate, false)
    }
  }),

  storageCase('of concurrent appends under one command id, one writes and all get its answer', async (store) => {
    for (const expectedVersion of ['any', 0] as const) {
      const streamId = `order-${expectedVersion}`
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.appended(streamId, 2, { expectedVersion, commandId: 'c1' })),
      )
      assert.equal(results.filter((result) => !result.duplicate).length, 1)
      for (const result of results)
        assert.deepEqual({ ...result, duplicate: false }, { ...results[0], duplicate: false })
      assert.equal((await store.readAll(streamId)).length, 2)
    }
  }),

  storageCase('command ids that look alike are different commands', async (store) => {
    const commandIds = ['1', '01', '1 ', 'c', 'C', '__proto__', 'constructor', 'ü', 'u\u0308', '😀', 'k'.repeat(200)]
    for (const commandId of commandIds) {
      assert.equal((await store.appended('order-1', 1, { commandId })).duplicate, false, `command ${commandId}`)
    }
    for (const [index, commandId] of commandIds.entries()) {
      const again = await store.appended('order-1', 1, { commandId })
      assert.deepEqual([again.duplicate, again.version], [true, index + 1], `command ${commandId}`)
    }
  }),

  storageCase('a command can be found by its id', async (store) => {
    assert.equal(await store.eventStore.findCommand('order-1', 'c1'), undefined)
    const first = await store.appended('order-1', 2, { commandId: 'c1' })
    await store.appended('order-1', 2, { commandId: 'c2' })
    assert.deepEqual(await store.eventStore.findCommand('order-1', 'c1'), { ...first, duplicate: true })
    assert.equal(await store.eventStore.findCommand('order-1', 'c3'), undefined)
    assert.equal(await store.eventStore.findCommand('order-2', 'c1'), undefined)
  }),
]
