// What the guide to aggregates shows: versions, contexts, services, several events, none.
import {
  Aggregate,
  AggregateId,
  Command,
  type CommandContext,
  CommandHandler,
  DomainError,
  Event,
  EventHandler,
  emits,
  type Fields,
} from '@narrative/core'
import { IsInt, IsString, IsUUID, Min } from 'class-validator'

// #region command
@Command('account.withdraw')
export class Withdraw {
  declare readonly [emits]: Withdrawn | AccountFrozen
  @AggregateId() @IsUUID() readonly accountId!: string
  @IsInt() @Min(1) readonly amount!: number
  @IsString() readonly purpose!: string
  constructor(fields: Fields<Withdraw>) {
    Object.assign(this, fields)
  }
}
// #endregion

// #region refusal
export class LimitExceeded extends DomainError {
  constructor(limit: number) {
    super('account.limit-exceeded', `At most ${limit} can be withdrawn.`, { limit })
  }
}
// #endregion

// #region events
@Event('account.opened')
export class AccountOpened {
  constructor(readonly owner: string) {}
}

/** Version 1 had no purpose. */
@Event('account.withdrawn', { version: 2, upcast: { 1: (data) => ({ ...data, purpose: 'unknown' }) } })
export class Withdrawn {
  constructor(
    readonly amount: number,
    readonly purpose: string,
  ) {}
}

@Event('account.frozen', { revive: (data) => new AccountFrozen(new Date(data.until)) })
export class AccountFrozen {
  constructor(readonly until: Date) {}
}
// #endregion

/** A service of the application. */
export abstract class Limits {
  abstract limitOf(accountId: string): Promise<number>
}

// #region aggregate
@Aggregate('account', { revision: 2 })
export class Account {
  private withdrawn = 0
  private frozenUntil = 0

  @CommandHandler(Withdraw)
  async withdraw(command: Withdraw, context: CommandContext) {
    if (context.clock.now() < this.frozenUntil) return // nothing happens
    const limit = await context.service(Limits).limitOf(command.accountId)
    if (this.withdrawn + command.amount > limit) throw new LimitExceeded(limit)
    const withdrawn = new Withdrawn(command.amount, command.purpose)
    const tomorrow = new Date(context.clock.now() + 86_400_000)
    return this.withdrawn + command.amount === limit ? [withdrawn, new AccountFrozen(tomorrow)] : withdrawn
  }

  @EventHandler(AccountOpened)
  onOpened() {}

  @EventHandler(Withdrawn)
  onWithdrawn(event: Withdrawn) {
    this.withdrawn += event.amount
  }

  @EventHandler(AccountFrozen)
  onFrozen(event: AccountFrozen) {
    this.frozenUntil = event.until.getTime()
  }
}
// #endregion
