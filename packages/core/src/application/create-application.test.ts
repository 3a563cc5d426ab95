import { IsInt, IsString, Min } from 'class-validator'
import { ContainerModule, inject } from 'inversify'
import { expect, test } from 'vitest'
import {
  Aggregate,
  AggregateId,
  Command,
  type CommandContext,
  CommandHandler,
  createApplication,
  DomainError,
  Event,
  EventHandler,
  type EventStorage,
  type EventStore,
  emits,
  type Fields,
  formatPosition,
  fromJson,
  inMemoryEventStore,
  isNarrativeError,
  Query,
  QueryHandler,
  type RecordedEvent,
  returns,
} from '../index.js'

@Event('account.deposited')
class Deposited {
  constructor(readonly amount: number) {}
}

@Command('account.deposit')
class Deposit {
  declare readonly [emits]: Deposited
  @AggregateId() @IsString() readonly accountId!: string
  @IsInt() @Min(1) readonly amount!: number
  constructor(fields: Fields<Deposit>) {
    Object.assign(this, fields)
  }
}

@Command('account.deposit-limit')
class DepositWithinLimit {
  @AggregateId() @IsString() readonly accountId!: string
  constructor(fields: Fields<DepositWithinLimit>) {
    Object.assign(this, fields)
  }
}

class LimitReached extends DomainError {
  constructor() {
    super('account.limit-reached', 'The limit is reached.')
  }
}

@Aggregate('account')
class Account {
  balance = 0

  @CommandHandler(Deposit)
  deposit(command: Deposit) {
    return new Deposited(command.amount)
  }

  @CommandHandler(DepositWithinLimit)
  async depositWithinLimit(_command: DepositWithinLimit, context: CommandContext) {
    if (this.balance >= context.service<number>('limit')) throw new LimitReached()
    return [new Deposited(1), new Deposited(1)]
  }

  @EventHandler(Deposited)
  onDeposited(event: Deposited) {
    this.balance += event.amount
  }
}

@Query('limit')
class GetLimit {
  declare readonly [returns]: number
}

class LimitQueries {
  constructor(@inject('limit') private readonly limit: number) {}

  @QueryHandler(GetLimit)
  get(_query: GetLimit): number {
    return this.limit
  }
}

const open = () =>
  createApplication({
    aggregates: [Account],
    queryHandlers: [LimitQueries],
    modules: [new ContainerModule(({ bind }) => void bind('limit').toConstantValue(4))],
  })

test('a command becomes events, and its answer says where they are', async () => {
  const app = await open()
  const first = await app.commands.execute(new Deposit({ accountId: 'a', amount: 3 }))
  expect(first).toMatchObject({
    version: 1,
    aggregateId: 'a',
    duplicate: false,
    position: { topic: expect.any(String) },
  })
  expect(first.events[0]?.amount).toBe(3)
  const second = await app.commands.execute(new DepositWithinLimit({ accountId: 'a' }), { commandId: 'c1' })
  expect(second.version).toBe(3)
  await expect(app.commands.execute(new DepositWithinLimit({ accountId: 'a' }))).rejects.toBeInstanceOf(LimitReached)
  expect(await app.commands.execute(new DepositWithinLimit({ accountId: 'a' }), { commandId: 'c1' })).toEqual({
    ...second,
    duplicate: true,
  })
  expect((await app.aggregates.state(Account, 'a')).state.balance).toBe(5)
  expect((await app.aggregates.state(Account, 'a', { version: 1 })).state.balance).toBe(3)
  const position = first.position!
  expect((await app.aggregates.state(Account, 'a', { position })).version).toBe(first.version)
  expect((await app.aggregates.state(Account, 'a', { position: formatPosition(position) })).state.balance).toBe(3)
  const elsewhere = { ...position, partition: position.partition + 1 }
  await expect(app.aggregates.state(Account, 'a', { position: elsewhere })).rejects.toMatchObject({
    code: 'POSITION_INVALID',
  })
  expect(await app.queries.execute(new GetLimit())).toBe(4)
  await app.stop()
})

test('every violation is listed, unknown fields too', async () => {
  const app = await open()
  const error = await app.commands.execute(fromJson(Deposit, { accountId: 7, amount: 0.5, extra: 1 })).catch((e) => e)
  expect(isNarrativeError(error, 'COMMAND_INVALID')).toBe(true)
  expect(error.details.violations.map((v: { path: string }) => v.path).sort()).toEqual([
    'accountId',
    'amount',
    'amount',
    'extra',
  ])
  await app.stop()
})

test('a copy is asked when that is wished, and where there is one; its answer says how fresh it is', async () => {
  const storage = inMemoryEventStore()
  const checkpoint = { topic: 'memory.account.events', partition: 0, offset: 3, claim: null }
  /** With a copy that has seen the first event only, for the account `a`. */
  const lagging: EventStorage = {
    name: 'lagging',
    async open(context) {
      const opened = await storage.open(context)
      const readReplica: EventStore['readReplica'] = async (streamId) => {
        if (streamId !== 'account-a') return undefined
        const events: RecordedEvent[] = []
        for await (const event of opened.eventStore.read(streamId, { to: 1 })) events.push(event)
        return { events, checkpoint }
      }
      return { ...opened, eventStore: { ...opened.eventStore, readReplica } }
    },
  }
  const app = await createApplication({ aggregates: [Account], eventStore: lagging })
  for (const accountId of ['a', 'b']) {
    await app.commands.execute(new Deposit({ accountId, amount: 3 }))
    await app.commands.execute(new Deposit({ accountId, amount: 4 }))
  }
  const replica = { consistency: 'replica' } as const
  expect(await app.aggregates.state(Account, 'a')).toMatchObject({ version: 2, state: { balance: 7 } })
  expect(await app.aggregates.state(Account, 'a', replica)).toMatchObject({
    version: 1,
    state: { balance: 3 },
    checkpoint,
  })
  expect((await app.aggregates.state(Account, 'b', replica)).state.balance).toBe(7)
  await app.stop()
})
