// Two applications and a router between them that loses nothing: what the caller sees of an owner elsewhere.
import { expect, test } from 'vitest'
import {
  type Application,
  type Clock,
  type CommandRouter,
  createApplication,
  DomainError,
  defineDecider,
  type EventStorage,
  inMemoryEventStore,
  type Message,
  NarrativeError,
  type RequestHandler,
  type RoutedRequest,
  systemClock,
} from '../index.js'

type Add = Message<'counter.add', { id: string; by: unknown }>
type Added = Message<'counter.added', { by: number }>

class TooMuch extends DomainError {
  constructor(readonly limit: number) {
    super('counter.too-much', `At most ${limit}.`, { limit })
  }
}

class Foreign extends DomainError {
  constructor() {
    super('counter.foreign', 'Of no registered class.')
  }
}

const counter = defineDecider<number, Add, Added>({
  category: 'counter',
  commands: { 'counter.add': {} },
  events: { 'counter.added': {} },
  identify: (command) => command.data.id,
  initial: () => 0,
  decide: ({ data: { by } }) => {
    if (by === 'foreign') throw new Foreign()
    if (by === 'bug') throw new RangeError('a bug')
    if (by === 'text') throw 'a text'
    if (by === 'too late') {
      owning.abort()
      return { type: 'counter.added', data: { by: 1 } }
    }
    if (typeof by !== 'number') return undefined
    if (by > 100) throw new TooMuch(100)
    return { type: 'counter.added', data: { by } }
  },
  evolve: (total, event) => total + event.data.by,
})

/** A storage with a router in front: requests go to `owner`, unless the stream is here. */
function routed(storage: EventStorage, router: () => CommandRouter): EventStorage {
  return { name: 'routed', open: async (context) => ({ ...(await storage.open(context)), router: router() }) }
}

/** Of the owner of the latest pair. */
let owning = new AbortController()
const handled: { request: RoutedRequest; repeatable: boolean }[] = []

/** @param onTheWay happens to each request between the two */
async function pair(
  clock: Clock = systemClock,
  onTheWay = (_: RoutedRequest) => {},
): Promise<{ asker: Application; owner: Application; here: Set<string> }> {
  let handle: RequestHandler | undefined
  const here = new Set<string>()
  handled.length = 0
  owning = new AbortController()
  const unused = async () => Promise.reject(new Error('not asked here'))
  const options = { aggregates: [counter], clock, domainErrors: { 'counter.too-much': TooMuch } }
  const owner = await createApplication({
    ...options,
    eventStore: routed(inMemoryEventStore(), () => ({
      ownerOf: () => 'here',
      send: unused,
      serve: (handler) => {
        handle = handler
      },
    })),
  })
  const asker = await createApplication({
    ...options,
    eventStore: routed(inMemoryEventStore(), () => ({
      ownerOf: (streamId) => (here.has(streamId) ? 'here' : 'elsewhere'),
      serve: () => {},
      send: async (request) => {
        onTheWay(request)
        const reply = await handle!(request, owning.signal)
        handled.push({ request, repeatable: reply.repeatable })
        return reply.payload
      },
    })),
  })
  return { asker, owner, here }
}

const add = (by: unknown): Add => ({ type: 'counter.add', data: { id: '1', by } })

test('a result is the same as at the owner, and needs no second thought', async () => {
  const { asker, owner } = await pair()
  const result = await asker.commands.execute(add(2), { commandId: 'c1' })
  expect(result).toEqual({ ...(await owner.commands.execute(add(2), { commandId: 'c1' })), duplicate: false })
  expect(result.events).toEqual([{ type: 'counter.added', data: { by: 2 } }])
  expect(handled).toMatchObject([{ repeatable: true, request: { streamId: 'counter-1', id: 'c1' } }])
})

test('what left no trace in the log must not be handled again: refusals, and commands without events', async () => {
  const { asker } = await pair()
  await asker.commands.execute(add('nothing'))
  await expect(asker.commands.execute(add(101))).rejects.toBeInstanceOf(TooMuch)
  await expect(asker.commands.execute(add(1), { expectedVersion: 7 })).rejects.toMatchObject({
    code: 'VERSION_CONFLICT',
    retryable: true,
    details: { expectedVersion: 7, actualVersion: 0 },
  })
  expect(handled.map(({ repeatable }) => repeatable)).toEqual([false, false, false])
})

test('errors arrive as what they were', async () => {
  const { asker } = await pair()
  const caught = (by: unknown) => asker.commands.execute(add(by)).catch((error: unknown) => error)
  const refusal = await caught(101)
  expect(refusal).toBeInstanceOf(TooMuch)
  expect(refusal).toMatchObject({
    code: 'counter.too-much',
    limit: 100,
    details: { limit: 100 },
    message: 'At most 100.',
  })
  const foreign = await caught('foreign')
  expect(foreign).toBeInstanceOf(DomainError)
  expect(foreign).toMatchObject({ code: 'counter.foreign', name: 'Foreign' })
  expect(await caught('bug')).toMatchObject({ name: 'RangeError', message: 'a bug' })
  expect(await caught('text')).toMatchObject({ message: 'a text' })
  expect(await caught(1n)).toMatchObject({ code: 'COMMAND_INVALID' })
})

test('a command that expired is not carried out', async () => {
  const { asker, owner } = await pair()
  await expect(asker.commands.execute(add(1), { deadline: Date.now() - 1 })).rejects.toMatchObject({
    code: 'COMMAND_EXPIRED',
  })
  expect(handled).toEqual([])
  expect((await owner.aggregates.state(counter, '1')).version).toBe(0)
})

test('a command that expires on the way is not carried out, and the caller learns why', async () => {
  let now = Date.now()
  const { asker, owner } = await pair({ now: () => now }, ({ deadline }) => {
    now = deadline
  })
  await expect(asker.commands.execute(add(1), { deadline: now + 10_000 })).rejects.toMatchObject({
    code: 'COMMAND_EXPIRED',
  })
  expect(handled).toMatchObject([{ repeatable: false }])
  expect((await owner.aggregates.state(counter, '1')).version).toBe(0)
})

test('a stream that is lost on the way is looked for elsewhere, under the same command id', async () => {
  const { asker, owner, here } = await pair()
  here.add('counter-1')
  asker.eventStore.append = async () => {
    here.clear()
    throw new NarrativeError('NOT_OWNER', { message: 'lost' })
  }
  expect(await asker.commands.execute(add(5), { commandId: 'c5' })).toMatchObject({ version: 1, commandId: 'c5' })
  expect((await owner.aggregates.state(counter, '1')).state).toBe(5)
})

test('a stream that is lost and given back at once: the command is carried out here, once', async () => {
  const { asker, here } = await pair()
  here.add('counter-1')
  const { append } = asker.eventStore
  asker.eventStore.append = async () => {
    asker.eventStore.append = append
    throw new NarrativeError('NOT_OWNER', { message: 'lost' })
  }
  expect(await asker.commands.execute(add(5))).toMatchObject({ version: 1 })
  expect(handled).toEqual([])
})

test('what was decided when the stream is lost is not appended: it may be owned here again, and another may have refused it', async () => {
  const { asker, owner } = await pair()
  await expect(asker.commands.execute(add('too late'))).rejects.toMatchObject({ code: 'COMMAND_ABORTED' })
  expect(handled).toEqual([])
  expect((await owner.aggregates.state(counter, '1')).version).toBe(0)
})

test('what was sent from here and is in doubt stays in doubt, unless its next owner says what became of it', async () => {
  const clock = { now: () => now }
  let now = 1_000
  const { asker, here } = await pair(clock)
  const lostAt = (time: number) => {
    here.add('counter-1')
    asker.eventStore.append = async () => {
      here.clear()
      now = time
      throw new NarrativeError('OUTCOME_UNKNOWN', { message: 'in doubt' })
    }
  }
  lostAt(2_000)
  await expect(asker.commands.execute(add(5), { deadline: 2_000 })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  lostAt(2_001)
  expect(await asker.commands.execute(add(5), { deadline: 3_000 })).toMatchObject({ version: 1 })
})

test('a history is read at its owner, page by page', async () => {
  const { asker, owner } = await pair()
  for (let n = 0; n < 1_100; n++) await owner.commands.execute(add(1))
  expect(await asker.aggregates.state(counter, '1')).toEqual({ state: 1_100, version: 1_100 })
  expect(await asker.aggregates.state(counter, '1', { version: 700 })).toEqual({ state: 700, version: 700 })
  expect(handled).toHaveLength(5)
})
