// Random histories: rivals, lost and late messages, a coordinator that forgets. Whatever happens, the log holds one
// history, and every caller was told the truth about it.
import { randomUUID } from 'node:crypto'
import { isNarrativeError } from '@narrative/core'
import { expect, test } from 'vitest'
import type { ProduceOutcome } from './driver/kafka-driver.js'
import { type Intercept, MemoryBroker } from './memory-broker.test-support.js'
import { type OpenedStore, openStore, readLog, topic } from './store.test-support.js'

interface Told {
  readonly commandId: string
  readonly streamId: string
  /** The version it was told, or that nothing was written, or that nobody knows. */
  readonly answer: number | 'not written' | 'unknown'
}

const lost: ProduceOutcome = { outcome: 'unknown', error: new Error('lost') }
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A small generator of random numbers with a seed (mulberry32), so that a broken history can be played again. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function play(seed: number): Promise<{ voids: number; takeovers: number; written: number }> {
  const random = randomOf(seed)
  const broker = new MemoryBroker()
  const late: Promise<unknown>[] = []
  const intercept: Intercept = (_, deliver) => {
    const fate = random()
    if (fate < 0.85) return deliver()
    if (fate < 0.9) {
      deliver()
      return lost
    }
    if (fate < 0.94) return lost
    late.push(turns(1 + Math.floor(random() * 400)).then(deliver)) // the zombie's batch
    return lost
  }
  const told: Told[] = []
  const stores: OpenedStore[] = [await openStore(broker, { intercept })]
  const write = async () => {
    const store = stores[Math.max(0, stores.length - 1 - Math.floor(random() * random() * 3))]!
    const commandId = randomUUID()
    const streamId = `order-${Math.floor(random() * 4)}`
    let answer: Told['answer']
    try {
      const expected = random() < 0.5 ? ('any' as const) : Math.floor(random() * 20)
      const result = await store.write(streamId, expected, commandId)
      answer = result.outcome === 'appended' ? result.version : 'not written'
    } catch (error) {
      if (!isNarrativeError(error)) throw error
      answer = error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'not written'
    }
    told.push({ commandId, streamId, answer })
  }
  const writer = async () => {
    for (let n = 0; n < 60; n++) {
      await write()
      await turns(Math.floor(random() * 5))
    }
  }
  const rivals = async () => {
    for (let n = 0; n < 3; n++) {
      await turns(20 + Math.floor(random() * 150))
      if (random() < 0.5) broker.forget(`${topic}-0`)
      if (random() < 0.3) broker.forgetProducers(topic, 0)
      try {
        stores.push(await openStore(broker, { intercept }))
      } catch (error) {
        if (!isNarrativeError(error, 'NOT_OWNER')) throw error // overtaken while it opened: fine
      }
    }
  }
  await Promise.all([writer(), writer(), writer(), writer(), rivals()])
  await Promise.all(late)
  const judge = await openStore(broker)
  const events = await readLog(broker, judge)
  check(events, told)
  for (const streamId of new Set(events.map((event) => event.streamId))) {
    const own: number[] = []
    for await (const event of judge.eventStore.read(streamId)) own.push(event.version)
    expect(own).toEqual(own.map((_, index) => index + 1))
    expect(own).toEqual(events.filter((event) => event.streamId === streamId).map((event) => event.version))
  }
  const { voids } = judge.status()[0]!
  await Promise.all([...stores, judge].map((store) => store.close()))
  return { voids, takeovers: stores.length - 1, written: events.length }
}

function check(events: Awaited<ReturnType<typeof readLog>>, told: readonly Told[]): void {
  for (const { commandId, streamId, answer } of told) {
    const found = events.filter((event) => event.metadata.commandId === commandId)
    if (answer === 'not written') expect(found, 'told that nothing was written').toEqual([])
    else if (answer === 'unknown') expect(found.length).toBeLessThanOrEqual(1)
    else expect(found.map((event) => [event.streamId, event.version])).toEqual([[streamId, answer]])
  }
}

test.each(Array.from({ length: 40 }, (_, index) => index + 1))('history %i', async (seed) => {
  await play(seed)
})

test('the histories hold what they are about', async () => {
  const played = await Promise.all(Array.from({ length: 10 }, (_, index) => play(1000 + index)))
  expect(played.reduce((sum, { written }) => sum + written, 0)).toBeGreaterThan(200)
  expect(played.reduce((sum, { voids }) => sum + voids, 0)).toBeGreaterThan(0)
  expect(played.reduce((sum, { takeovers }) => sum + takeovers, 0)).toBeGreaterThan(10)
})
