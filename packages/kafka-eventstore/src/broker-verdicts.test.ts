// Each thing a broker may say of a batch, and what follows.
import { describe, expect, test } from 'vitest'
import { broker, once, start, story } from './append-protocol.test-support.js'
import { anEvent, claimsIn, codeOf, metadata, topic } from './store.test-support.js'

describe('what a broker says', () => {
  test('surely not taken: the same batch is sent again, under the same sequence', async () => {
    const store = await start()
    const sent: unknown[] = []
    store.intercept = (batch) => {
      sent.push(batch)
      return sent.length < 3 ? { outcome: 'not-done', reason: 'retry', error: new Error('leader moved') } : undefined
    }
    expect(await store.write('order-1', 0)).toMatchObject({ version: 1, position: { offset: 1 } })
    expect(sent).toHaveLength(3)
    expect(new Set(sent).size).toBe(1)
    expect(claimsIn(broker)).toHaveLength(1)
  })

  test('too large: the culprit fails alone', async () => {
    const store = await start()
    store.intercept = (batch, deliver) => {
      const bytes = batch.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
      return bytes > 1000 ? { outcome: 'not-done', reason: 'too-large', error: new Error('too large') } : deliver()
    }
    const append = (id: number, size: number) => {
      const options = { expectedVersion: 0, metadata: metadata(`c${id}`) }
      return store.eventStore.append(`order-${id}`, [anEvent(Buffer.alloc(size))], options)
    }
    const results = await Promise.allSettled([append(1, 400), append(2, 2000), append(3, 400), append(4, 400)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(await codeOf(append(2, 2000))).toBe('APPEND_TOO_LARGE')
    expect((await story(store)).sort()).toEqual(['order-1@1', 'order-3@1', 'order-4@1'])
  })

  test('too large for the topic: known before it is sent', async () => {
    const store = await start()
    let produced = 0
    store.intercept = (_, deliver) => {
      produced++
      return deliver()
    }
    const events = [anEvent(Buffer.alloc(600_000)), anEvent(Buffer.alloc(600_000))]
    const append = (some: typeof events) =>
      store.eventStore.append('order-1', some, { expectedVersion: 0, metadata: metadata(some[0]!.id) })
    expect(await codeOf(append(events))).toBe('APPEND_TOO_LARGE')
    expect(produced).toBe(0)
    expect(await append(events.slice(0, 1))).toMatchObject({ version: 1 })
  })

  test('refused: a new claim heals it when the identity was at fault', async () => {
    const store = await start()
    await store.write('order-1', 0)
    once(store, () => ({ outcome: 'not-done', reason: 'refused', error: new Error('out of order') }))
    expect(await store.write('order-1', 1)).toMatchObject({ version: 2 })
    expect(claimsIn(broker)).toHaveLength(2)
  })

  test('refused again and again: its caller hears why, the others are served', async () => {
    const store = await start()
    store.intercept = (batch, deliver) => {
      const bad = batch.records.some(({ key }) => key !== null && String(key) === 'order-bad')
      return bad ? { outcome: 'not-done', reason: 'refused', error: new Error('a policy') } : deliver()
    }
    const [bad, good] = await Promise.allSettled([store.write('order-bad'), store.write('order-good')])
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'BROKER_REFUSED' } })
    expect(good).toMatchObject({ status: 'fulfilled', value: { version: 1 } })
  })

  test('an acknowledgement at another offset than expected is not believed before the gap was read', async () => {
    const store = await start()
    once(store, (deliver) => {
      const { log } = broker.partition(topic, 0)
      log.push(log[0]!) // its own claim, once more: not a rival
      return deliver()
    })
    expect(await store.write('order-1', 0)).toMatchObject({ version: 1, position: { offset: 2 } })
    expect(claimsIn(broker)).toHaveLength(2)
  })
})
