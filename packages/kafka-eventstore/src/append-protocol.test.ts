// The append protocol against every loss and every rival, in the gaps where they hurt. No network, no Kafka.
import { afterEach, describe, expect, test } from 'vitest'
import type { ProduceOutcome } from './driver/kafka-driver.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import {
  anEvent,
  claimsIn,
  codeOf,
  metadata,
  type OpenedStore,
  openStore,
  readLog,
  topic,
  until,
} from './store.test-support.js'

const lost: ProduceOutcome = { outcome: 'unknown', error: new Error('the answer was lost') }
const transactionalId = `${topic}-0`

let broker: MemoryBroker
const opened: OpenedStore[] = []
async function open(options?: Parameters<typeof openStore>[1]): Promise<OpenedStore> {
  const store = await openStore(broker, options)
  opened.push(store)
  return store
}
const start = () => {
  broker = new MemoryBroker()
  return open()
}
afterEach(async () => {
  for (const store of opened.splice(0)) {
    store.intercept = undefined
    await store.close()
  }
})

const story = async (store: OpenedStore) => (await readLog(broker, store)).map((e) => `${e.streamId}@${e.version}`)

/** Applies to the next batch only. */
function once(store: OpenedStore, act: (deliver: () => ProduceOutcome) => ProduceOutcome | Promise<ProduceOutcome>) {
  store.intercept = (_, deliver) => {
    store.intercept = undefined
    return act(deliver)
  }
}

describe('an answer that does not come', () => {
  test('when the batch was written, the append is acknowledged as what it is', async () => {
    const store = await start()
    once(store, (deliver) => {
      deliver()
      return lost
    })
    const result = await store.write('order-1', 0)
    expect(result).toMatchObject({ outcome: 'appended', version: 1, duplicate: false, position: { offset: 1 } })
    expect(await story(store)).toEqual(['order-1@1'])
    expect(claimsIn(broker)).toHaveLength(2)
  })

  test('when it was not, the append is written again under a new claim', async () => {
    const store = await start()
    once(store, () => lost)
    expect(await store.write('order-1', 0)).toMatchObject({ outcome: 'appended', version: 1, position: { offset: 2 } })
    expect(await story(store)).toEqual(['order-1@1'])
  })

  test('a batch that arrives after all is fenced', async () => {
    const store = await start()
    let late: () => ProduceOutcome = () => lost
    once(store, (deliver) => {
      late = deliver
      return lost
    })
    await store.write('order-1', 0)
    expect(late()).toMatchObject({ outcome: 'not-done', reason: 'fenced' })
    expect(await story(store)).toEqual(['order-1@1'])
  })

  test('a batch that arrives after all, at a broker that has forgotten the producer, is void', async () => {
    const store = await start()
    let late: () => ProduceOutcome = () => lost
    once(store, (deliver) => {
      late = deliver
      return lost
    })
    await store.write('order-1', 0)
    broker.forgetProducers(topic, 0)
    expect(late()).toMatchObject({ outcome: 'done' })
    expect(await store.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
    expect(await story(store)).toEqual(['order-1@1', 'order-1@2'])
    expect(store.status()[0]).toMatchObject({ state: 'serving', voids: 1 })
  })

  test('the other appends of a lost batch get their own truth', async () => {
    const store = await start()
    once(store, () => lost)
    const results = await Promise.all([
      store.write('order-1', 0),
      store.write('order-1', 1),
      store.write('order-2', 0),
      store.write('order-1', 0),
    ])
    expect(results.map((result) => (result.outcome === 'appended' ? result.version : 'conflict'))).toEqual([
      1,
      2,
      1,
      'conflict',
    ])
  })

  test('of the claim itself: claimed again, and the stray claim is not mistaken for a rival', async () => {
    broker = new MemoryBroker()
    let produced = 0
    const store = await open({
      intercept: (_, deliver) => {
        if (produced++ > 0) return undefined
        deliver()
        return lost
      },
    })
    expect(claimsIn(broker)).toHaveLength(2)
    expect(await store.write('order-1', 0)).toMatchObject({ version: 1 })
  })
})

describe('a rival', () => {
  test('takes over: the old owner is refused, says so, and does not steal back', async () => {
    const old = await start()
    await old.write('order-1', 0)
    const rival = await open()
    expect(await codeOf(old.write('order-1', 1))).toBe('NOT_OWNER')
    expect(await codeOf(old.write('order-2', 0))).toBe('NOT_OWNER')
    expect(await codeOf(old.eventStore.findCommand('order-1', 'x'))).toBe('NOT_OWNER')
    expect(old.status()).toMatchObject([{ state: 'elsewhere' }])
    expect(old.health()).toEqual({ ready: true, reasons: [] }) // to own nothing is no illness
    expect(await rival.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
    expect(claimsIn(broker)).toHaveLength(2)
    expect(await story(rival)).toEqual(['order-1@1', 'order-1@2'])
  })

  test('whose identity the coordinator forgot to raise: what slips through is void, and nobody is told otherwise', async () => {
    const old = await start()
    await old.write('order-1', 0)
    broker.forget(transactionalId)
    const rival = await open()
    expect(await codeOf(old.write('order-1', 1))).toBe('NOT_OWNER') // the broker took it
    expect(broker.partition(topic, 0).log).toHaveLength(4)
    expect(await rival.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
    expect(await story(rival)).toEqual(['order-1@1', 'order-1@2'])
    expect(rival.status()[0]!.voids).toBe(1)
    const next = await open()
    expect(await next.write('order-1', 2)).toMatchObject({ version: 3 })
    expect(next.status()[0]!.voids).toBe(1)
  })

  test('between InitProducerId and its claim sees what the old owner still wrote', async () => {
    const old = await start()
    const rival = await open({
      intercept: async (_, deliver) => {
        if (claimsIn(broker).length === 1) expect(await old.write('order-1', 0)).toMatchObject({ version: 1 })
        return deliver()
      },
    })
    expect(await rival.write('order-1', 0)).toEqual({ outcome: 'conflict', actualVersion: 1 })
    expect(await codeOf(old.write('order-1', 1))).toBe('NOT_OWNER')
  })

  test('between its claim and its reading is safe from the old owner', async () => {
    const old = await start()
    let refused: Promise<unknown> | undefined
    const rival = await open({
      intercept: async (_, deliver) => {
        const outcome = deliver()
        refused ??= codeOf(old.write('order-1', 0))
        expect(await refused).toBe('NOT_OWNER')
        return outcome
      },
    })
    expect(await rival.write('order-1', 0)).toMatchObject({ version: 1 })
  })

  test('that is overtaken between its claim and its reading never serves', async () => {
    await start()
    let third: Promise<OpenedStore> | undefined
    const overtaken = await open({
      intercept: async (_, deliver) => {
        const outcome = deliver()
        third ??= open()
        await third
        return outcome
      },
    })
    expect(overtaken.status()).toMatchObject([{ state: 'elsewhere' }])
    expect(await codeOf(overtaken.write('order-1', 0))).toBe('NOT_OWNER')
    expect(await (await third!).write('order-1', 0)).toMatchObject({ version: 1 })
  })

  test('that claims over somebody it has not seen asks the group before it serves', async () => {
    await start()
    const init = broker.initProducerId
    let newest: OpenedStore | undefined
    const heldUp = async (id: string) => {
      broker.initProducerId = init // only the late one is held up, with its last look at the log behind it
      newest = await open()
      await newest.write('order-1', 0)
      return init.call(broker, id)
    }
    broker.initProducerId = heldUp as unknown as typeof init
    const late = await open()
    expect(late.status()).toMatchObject([{ state: 'elsewhere' }])
    expect(await newest!.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
  })

  test('while the old owner is in doubt: found in the log means appended, not found means not owner', async () => {
    for (const written of [true, false]) {
      const old = await start()
      let rival: OpenedStore | undefined
      once(old, async (deliver) => {
        if (written) deliver()
        rival = await open()
        return lost
      })
      const answer = old.write('order-1', 0)
      if (written) expect(await answer).toMatchObject({ outcome: 'appended', version: 1 })
      else expect(await codeOf(answer)).toBe('NOT_OWNER')
      expect(await story(rival!)).toEqual(written ? ['order-1@1'] : [])
      expect(await codeOf(old.write('order-1', 1))).toBe('NOT_OWNER')
    }
  })
})

describe('two owners that both have the group on their side', () => {
  test('a partition is not left to a rival that is a zombie itself: who is confirmed claims it back', async () => {
    const owner = await start()
    await owner.write('order-1', 0)
    const zombie = await open()
    broker.members = 1 // the group knows the first one only: the rival claimed although the partition was not its own
    expect(await owner.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
    expect(claimsIn(broker)).toHaveLength(3)
    broker.members = 1
    expect(owner.status()).toMatchObject([{ state: 'serving' }])
    expect(await story(owner)).toEqual(['order-1@1', 'order-1@2'])
    expect(zombie.status()).toMatchObject([{ voids: 0 }])
  })
})

async function readStream(store: OpenedStore, streamId: string): Promise<number[]> {
  const versions: number[] = []
  for await (const { version } of store.eventStore.read(streamId)) versions.push(version)
  return versions
}

describe('a strong read', () => {
  test('at an owner that was overtaken and does not know yet: never what was true before', async () => {
    const old = await start()
    await old.write('order-1', 0)
    const rival = await open()
    await rival.write('order-1', 1)
    // Nothing told the old owner. It must not answer with one event.
    const read = async () => readStream(old, 'order-1')
    expect(await codeOf(read())).toBe('NOT_OWNER')
  })

  test('while a batch of its own is in flight waits for it, and is answered', async () => {
    const store = await start()
    await store.write('order-1', 0)
    let land: (() => void) | undefined
    once(store, async (deliver) => {
      const outcome = deliver()
      await new Promise<void>((resolve) => {
        land = resolve
      })
      return outcome
    })
    const writing = store.write('order-1', 1)
    await until(() => land !== undefined)
    const reading = readStream(store, 'order-1')
    land!()
    expect(await reading).toHaveLength(2)
    expect(await writing).toMatchObject({ version: 2 })
    expect(claimsIn(broker)).toHaveLength(1)
  })
})

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

describe('waiting', () => {
  test('for a broker that is down ends in time, and says what is known', async () => {
    broker = new MemoryBroker()
    const store = await open({ appendTimeout: 150 })
    let sent!: () => void
    const flying = new Promise<void>((resolve) => {
      sent = resolve
    })
    once(store, () => {
      broker.down = true
      sent()
      return lost
    })
    const first = codeOf(store.write('order-1', 0))
    await flying
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
    let release!: () => void
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    once(store, async (deliver) => {
      await gate
      return deliver()
    })
    const first = store.write('order-1')
    await until(() => store.status()[0]!.waiting === 0)
    const rest = Array.from({ length: 10_001 }, () => store.write('order-1'))
    expect(await codeOf(rest.at(-1)!)).toBe('STORE_BUSY')
    release()
    await first
    expect((await Promise.all(rest.slice(0, -1))).at(-1)).toMatchObject({ version: 10_001 })
  })

  test('a conflict with a version in flight is answered when that one is known', async () => {
    const store = await start()
    let release!: () => void
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let flying = false
    once(store, async () => {
      flying = true
      await gate
      return lost // it never got there
    })
    const answers: unknown[] = []
    const appends = [1, 2, 3].map(() => store.write('order-1', 0).then((result) => answers.push(result.outcome)))
    await until(() => flying)
    const early = [...answers]
    release()
    await Promise.all(appends)
    expect(early).toEqual([])
    expect(answers).toEqual(['appended', 'conflict', 'conflict'])
  })
})
