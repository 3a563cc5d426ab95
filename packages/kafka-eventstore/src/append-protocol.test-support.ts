// The append protocol against every loss and every rival, in the gaps where they hurt. No network, no Kafka.
import { afterEach } from 'vitest'
import type { ProduceOutcome } from './driver/kafka-driver.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import { type OpenedStore, openStore, readLog, topic } from './store.test-support.js'

export const lost: ProduceOutcome = { outcome: 'unknown', error: new Error('the answer was lost') }
export const transactionalId = `${topic}-0`

/** The one of this test. */
export let broker: MemoryBroker
const opened: OpenedStore[] = []

/** One more store on it. */
export async function open(options?: Parameters<typeof openStore>[1]): Promise<OpenedStore> {
  const store = await openStore(broker, options)
  opened.push(store)
  return store
}

/** The first store on a new broker. */
export function start(options?: Parameters<typeof openStore>[1]): Promise<OpenedStore> {
  broker = new MemoryBroker()
  return open(options)
}

afterEach(async () => {
  for (const store of opened.splice(0)) {
    store.intercept = undefined
    await store.close()
  }
})

/** What the log tells, read through a store. */
export async function story(store: OpenedStore): Promise<string[]> {
  return (await readLog(broker, store)).map((e) => `${e.streamId}@${e.version}`)
}

/** Applies to the next batch only. */
export function once(
  store: OpenedStore,
  act: (deliver: () => ProduceOutcome) => ProduceOutcome | Promise<ProduceOutcome>,
): void {
  store.intercept = (_, deliver) => {
    store.intercept = undefined
    return act(deliver)
  }
}

/** The next batch is delivered only when the test lets it: `sent` resolves when it is under way. */
export function holdNext(store: OpenedStore): { readonly sent: Promise<void>; deliver(): void } {
  const [sent, held] = [gate(), gate()]
  once(store, async (deliver) => {
    sent.open()
    await held.passed
    return deliver()
  })
  return { sent: sent.passed, deliver: held.open }
}

/** Something to wait for until a test lets it go on. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open!: () => void
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
