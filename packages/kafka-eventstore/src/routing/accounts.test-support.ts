// Accounts on several instances: commands that succeed, that are refused, and that find out who owns what.
import { randomUUID } from 'node:crypto'
import {
  Aggregate,
  AggregateId,
  type Application,
  Command,
  CommandHandler,
  createApplication,
  DomainError,
  Event,
  EventHandler,
  isNarrativeError,
  silentLogger,
} from '@narrative/core'
import { kafkaEventStore } from '../kafka-event-store.js'
import type { KafkaEventStoreOptions } from '../options.js'

export class Overdrawn extends DomainError {
  constructor(readonly accountId: string) {
    super('account.overdrawn', `Account ${accountId} is overdrawn.`, { accountId })
  }
}

@Command('account.deposit')
export class Deposit {
  @AggregateId() readonly accountId: string
  constructor(
    accountId: string,
    readonly amount: number,
  ) {
    this.accountId = accountId
  }
}

@Command('account.withdraw')
export class Withdraw {
  @AggregateId() readonly accountId: string
  constructor(
    accountId: string,
    readonly amount: number,
  ) {
    this.accountId = accountId
  }
}

@Event('account.moved')
export class Moved {
  constructor(readonly amount: number) {}
}

@Aggregate('account')
export class Account {
  balance = 0
  @CommandHandler(Deposit) deposit({ amount }: Deposit) {
    return amount === 0 ? undefined : new Moved(amount)
  }
  @CommandHandler(Withdraw) withdraw({ accountId, amount }: Withdraw) {
    if (amount > this.balance) throw new Overdrawn(accountId)
    return new Moved(-amount)
  }
  @EventHandler(Moved) moved({ amount }: Moved) {
    this.balance += amount
  }
}

export function startAccounts(store: KafkaEventStoreOptions): Promise<Application> {
  return createApplication({
    aggregates: [Account],
    domainErrors: { 'account.overdrawn': Overdrawn },
    validator: { validate: () => [] },
    eventStore: kafkaEventStore(store),
    logger: silentLogger,
  })
}

/** Where a stream is owned: only there the byte-level port reads it. */
export async function owns(app: Application, id: string): Promise<boolean> {
  try {
    for await (const _ of app.eventStore.read(`account-${id}`)) break
    return true
  } catch (error) {
    if (isNarrativeError(error, 'NOT_OWNER')) return false
    throw error
  }
}

/** An account that this instance does not own. */
export async function idElsewhere(app: Application): Promise<string> {
  for (;;) {
    const id = randomUUID()
    if (!(await owns(app, id))) return id
  }
}

/** Resolves when both own something, and together everything. */
export async function shared(one: Application, two: Application): Promise<void> {
  const ids = Array.from({ length: 40 }, () => randomUUID())
  for (let both = false; !both; ) {
    const [here, there] = await Promise.all(
      [one, two].map(
        async (app) => (await Promise.all(ids.map((id) => owns(app, id)))).filter((owned) => owned).length,
      ),
    )
    both = here! > 0 && there! > 0 && here! + there! === ids.length
  }
}

/** What a caller does: the same command id again, at another instance, as long as the error says that this may help. */
export async function repeated(first: () => Promise<unknown>, again: () => Promise<unknown>): Promise<void> {
  for (let attempt = first; ; attempt = again) {
    try {
      await attempt()
      return
    } catch (error) {
      if (!isNarrativeError(error) || !(error.retryable || error.code === 'STORE_CLOSED')) throw error
    }
  }
}
