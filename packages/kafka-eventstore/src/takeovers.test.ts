// Several owners of one partition, overlapping in every gap of the protocol.
import { describe, expect, test } from 'vitest'
import { broker, lost, once, open, start, story, transactionalId } from './append-protocol.test-support.js'
import { claimsIn, codeOf, type OpenedStore, topic } from './store.test-support.js'

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
