import { expect, test } from 'vitest'
import {
  Aggregate,
  AggregateId,
  Command,
  CommandHandler,
  createApplication,
  Event,
  EventHandler,
  type NarrativeError,
  QueryHandler,
} from '../index.js'

@Event('a.happened')
class Happened {}

@Event('a.happened', { version: 4, upcast: { 1: (d) => d, 5: (d) => d } })
class HappenedToo {}

class Unmarked {}

@Command('a.do')
class Do {
  @AggregateId() readonly id!: string
}

@Command('a.do')
class DoAgain {
  readonly id!: string
}

@Aggregate('a')
class First {
  @CommandHandler(Do) do() {
    return new Happened()
  }
  @CommandHandler(Do) doTwice() {}
  @EventHandler(Happened) happened() {}
}

@Aggregate('a')
class Second {
  @CommandHandler(DoAgain) do() {}
  @CommandHandler(Unmarked) unmarked() {}
  @EventHandler(HappenedToo) happened() {}
  @EventHandler(Unmarked) unmarkedEvent() {}
}

@Aggregate('Not-A-Category')
class Empty {}

class Queries {
  @QueryHandler(Unmarked) answer() {}
}

test('every fault is reported, at once, and nothing is opened', async () => {
  let opened = false
  const error: NarrativeError<'STARTUP_FAULTS', { faults: string[] }> = await createApplication({
    aggregates: [First, Second, Empty, Unmarked],
    queryHandlers: [Queries, Unmarked],
    parts: [
      {
        name: 'part',
        prepare: () => ['The part is not ready.'],
        start: async () => {},
        stop: async () => {},
        health: () => ({ ready: true, reasons: [] }),
      },
    ],
    eventStore: {
      name: 'never',
      open: async () => {
        opened = true
        throw new Error('opened')
      },
    },
  }).then(
    () => expect.unreachable(),
    (e) => e,
  )
  expect(opened).toBe(false)
  expect(error.code).toBe('STARTUP_FAULTS')
  expect(error.details.faults).toMatchInlineSnapshot(`
    [
      "First handles command Do twice: in do and in doTwice.",
      "Command DoAgain must mark exactly one property with @AggregateId(), but marks none.",
      "Second.unmarked handles Unmarked, which is not marked with @Command(name).",
      "Command Unmarked must mark exactly one property with @AggregateId(), but marks none.",
      "Event a.happened is at version 4, so its upcaster from version 5 is never used.",
      "Event a.happened has no upcaster from version 2 to 3.",
      "Event a.happened has no upcaster from version 3 to 4.",
      "Second.unmarkedEvent handles Unmarked, which is not marked with @Event(name).",
      "The category "Not-A-Category" of Empty must be lower-case letters, digits, "_" and ".", a letter first.",
      "Aggregate Empty has no @CommandHandler.",
      "Aggregate Empty has no @EventHandler: mark one for every event it may emit, even if its state does not change.",
      "Class Unmarked is not marked with @Aggregate(category).",
      "Aggregate Unmarked has no @CommandHandler.",
      "Aggregate Unmarked has no @EventHandler: mark one for every event it may emit, even if its state does not change.",
      "Two aggregates have the category a.",
      "Command a.do is handled by two: a and a. A command has one handler.",
      "The event name a.happened is used twice: by Happened and by HappenedToo. A name is storage and belongs to one event.",
      "Queries.answer answers Unmarked, which is not marked with @Query(name).",
      "Class Unmarked is given as a query handler but has no @QueryHandler method.",
      "The part is not ready.",
    ]
  `)
})

test('a part that cannot start stops what was started', async () => {
  const story: string[] = []
  const part = (name: string, fails = false) => ({
    name,
    prepare: () => [],
    start: async () => {
      story.push(`start ${name}`)
      if (fails) throw new Error(`${name} fails`)
    },
    stop: async () => void story.push(`stop ${name}`),
    health: () => ({ ready: true, reasons: [] }),
  })
  await expect(
    createApplication({ aggregates: [], parts: [part('one'), part('two', true), part('three')] }),
  ).rejects.toThrow('two fails')
  expect(story).toEqual(['start one', 'start two', 'stop two', 'stop one'])
})
