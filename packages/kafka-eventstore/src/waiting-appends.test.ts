// Appends that cannot be written at once: for how long they wait, how many, and what they are told.
import { describe, expect, test } from 'vitest'
import { broker, gate, lost, once, start, story } from './append-protocol.test-support.js'
import { codeOf, until } from './store.test-support.js'

describe('waiting', () => {
  test('for a broker that is down ends in time, and says what is known', async () => {
    const store = await start({ appendTimeout: 150 })
    const sent = gate()
    once(store, () => {
      broker.down = true
      sent.open()
      return lost
    })
    const first = codeOf(store.write('order-1', 0))
    await sent.passed
    const second = codeOf(store.write('order-2', 0))
    expect(await first).toBe('OUTCOME_UNKNOWN')
    expect(await second).toBe('BROKER_UNREACHABLE')
    expect(store.health().reasons[0]).toMatch(/down/)
    broker.down = false
    await until(() => store.health().ready)
    expect(await store.write('order-3', 0)).toMatchObject({ version: 1 })
    expect(await story(store)).toEqual(['order-3@1'])
  })

  test('heals by itself while callers wait', async () => {
    const store = await start()
    broker.down = true
    const answers = [1, 2, 3].map((n) => store.write(`order-${n}`, 0))
    await until(() => !store.health().ready)
    broker.down = false
    for (const answer of answers) expect(await answer).toMatchObject({ outcome: 'appended', version: 1 })
    expect(await story(store)).toHaveLength(3)
  })

  test('is bounded: a full queue turns callers away', async () => {
    const store = await start()
    const held = gate()
    once(store, async (deliver) => {
      await held.passed
      return deliver()
    })
    const first = store.write('order-1')
    await until(() => store.status()[0]!.waiting === 0)
    const rest = Array.from({ length: 10_001 }, () => store.write('order-1'))
    expect(await codeOf(rest.at(-1)!)).toBe('STORE_BUSY')
    held.open()
    await first
    expect((await Promise.all(rest.slice(0, -1))).at(-1)).toMatchObject({ version: 10_001 })
  })

  test('a conflict with a version in flight is answered when that one is known', async () => {
    const store = await start()
    const held = gate()
    let flying = false
    once(store, async () => {
      flying = true
      await held.passed
      return lost // it never got there
    })
    const answers: unknown[] = []
    const appends = [1, 2, 3].map(() => store.write('order-1', 0).then((result) => answers.push(result.outcome)))
    await until(() => flying)
    const early = [...answers]
    held.open()
    await Promise.all(appends)
    expect(early).toEqual([])
    expect(answers).toEqual(['appended', 'conflict', 'conflict'])
  })
})
