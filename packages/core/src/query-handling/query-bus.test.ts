import { describe, expect, test } from 'vitest'
import {
  type ApplicationPart,
  createApplication,
  formatPosition,
  type Position,
  Query,
  QueryHandler,
  type ReadModelWatcher,
  returns,
} from '../index.js'
import { liveAnswers } from './live-query.js'

@Query('who')
class Who {
  declare readonly [returns]: string
}

class View {}

@Query('count')
class Count {
  declare readonly [returns]: { readonly count: number }
}

class WhoQueries {
  @QueryHandler(Who, { reads: View })
  async who() {
    return 'me'
  }
}

const position: Position = { topic: 'people', partition: 1, offset: 7 }

test('after waits for the read model that the handler names', async () => {
  const waits: unknown[] = []
  const part: ApplicationPart = {
    name: 'views',
    prepare: () => [],
    start: async () => {},
    stop: async () => {},
    health: () => ({ ready: true, reasons: [] }),
    waitFor: async (...wait) => void waits.push(wait),
  }
  const app = await createApplication({ aggregates: [], queryHandlers: [WhoQueries], parts: [part] })
  expect(await app.queries.execute(new Who())).toBe('me')
  expect(waits).toEqual([])
  expect(await app.queries.execute(new Who(), { after: position })).toBe('me')
  expect(await app.queries.execute(new Who(), { after: formatPosition(position), timeout: 20 })).toBe('me')
  expect(waits).toEqual([
    [position, { readModel: View, timeout: 5_000 }],
    [position, { readModel: View, timeout: 20 }],
  ])
  await expect(app.queries.execute(new Who(), { after: 'yesterday' })).rejects.toMatchObject({
    code: 'POSITION_INVALID',
  })
  await expect(app.queries.execute(new View())).rejects.toMatchObject({ code: 'QUERY_UNKNOWN' })
  await app.stop()
})

test('a query that would wait for a read model that nobody here has is refused, and says what to do', async () => {
  const other: ApplicationPart = {
    name: 'other',
    prepare: () => [],
    start: async () => {},
    stop: async () => {},
    health: () => ({ ready: true, reasons: [] }),
    waitFor: () => undefined,
    watch: () => undefined,
  }
  for (const parts of [[], [other]]) {
    const app = await createApplication({ aggregates: [], queryHandlers: [WhoQueries], parts })
    const refused = {
      code: 'READ_MODEL_UNFOLLOWED',
      message: expect.stringMatching(/no read model View, .* createApplication\({ parts: /),
      details: { readModel: 'View' },
    }
    await expect(app.queries.execute(new Who(), { after: position })).rejects.toMatchObject(refused)
    await expect(app.queries.subscribe(new Who())[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
    expect(await app.queries.execute(new Who())).toBe('me')
    await app.stop()
  }
})

describe('a live query', () => {
  /** A read model that a test moves by hand. */
  async function counting() {
    let count = 0
    const watchers = new Set<ReadModelWatcher>()
    class CountQueries {
      @QueryHandler(Count, { reads: View })
      count() {
        return { count }
      }
    }
    const part: ApplicationPart = {
      name: 'views',
      prepare: () => [],
      start: async () => {},
      stop: async () => {},
      health: () => ({ ready: true, reasons: [] }),
      watch(watcher) {
        watchers.add(watcher)
        return () => watchers.delete(watcher)
      },
    }
    const app = await createApplication({ aggregates: [], queryHandlers: [CountQueries], parts: [part] })
    return {
      app,
      watchers,
      count(by: number) {
        count += by
        for (const watcher of watchers) watcher.moved()
      },
      break(error: unknown) {
        for (const watcher of watchers) watcher.stopped(error)
      },
    }
  }

  test('gives the answer, and each new one; moves that change nothing are not told', async () => {
    const { app, watchers, count } = await counting()
    const answers = app.queries.subscribe(new Count(), { interval: 0 })[Symbol.asyncIterator]()
    expect(await answers.next()).toEqual({ done: false, value: { count: 0 } })
    const next = answers.next()
    count(0)
    count(2)
    expect(await next).toEqual({ done: false, value: { count: 2 } })
    count(1) // while nobody waits
    expect(await answers.next()).toEqual({ done: false, value: { count: 3 } })
    await answers.return?.()
    expect(watchers.size).toBe(0)
    await app.stop()
  })

  test('the last answer contains the last move, also one during the question', async () => {
    let moved = () => {}
    let asked = 0
    const answers = liveAnswers({
      name: 'count',
      ask: async () => {
        if (asked++ === 0) moved()
        return asked
      },
      watch: (watcher) => {
        moved = watcher.moved
        return () => {}
      },
      interval: 0,
      signal: undefined,
    })
    expect((await answers.next()).value).toBe(1)
    expect((await answers.next()).value).toBe(2)
  })

  test('an answer that is one object, changed in place, is a new one', async () => {
    const answer = { count: 0 }
    let moved = () => {}
    const watch = (watcher: ReadModelWatcher) => {
      moved = watcher.moved
      return () => {}
    }
    const answers = liveAnswers({ name: 'count', ask: async () => answer, watch, interval: 0, signal: undefined })
    await answers.next()
    answer.count = 1
    moved()
    expect((await answers.next()).value).toEqual({ count: 1 })
  })

  test('ends with the signal, with the read model, and with the application', async () => {
    const { app, watchers, ...view } = await counting()
    const stop = new AbortController()
    const open = (signal?: AbortSignal) => app.queries.subscribe(new Count(), { signal })[Symbol.asyncIterator]()
    const aborted = open(stop.signal)
    await aborted.next()
    stop.abort()
    expect(await aborted.next()).toEqual({ done: true, value: undefined })
    const broken = open()
    await broken.next()
    view.break(new Error('no more'))
    await expect(broken.next()).rejects.toThrow('no more')
    const closed = open()
    await closed.next()
    const last = expect(closed.next()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await app.stop()
    await last
    expect(watchers.size).toBe(0)
  })

  test('refuses an answer that is not data', async () => {
    const watch = () => () => {}
    const ask = async () => ({ later: () => 1 })
    await expect(
      liveAnswers({ name: 'count', ask, watch, interval: 0, signal: undefined }).next(),
    ).rejects.toMatchObject({ code: 'ANSWER_NOT_DATA', message: expect.stringContaining('count') })
  })
})
