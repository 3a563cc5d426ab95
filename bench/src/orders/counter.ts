// The smallest aggregate there is: what dispatching to it costs is the framework's own.
import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler } from '@narrative/core'

/** Decides nothing. */
@Command('bench.counter.look')
export class Look {
  @AggregateId() readonly counterId: string
  constructor(counterId: string) {
    this.counterId = counterId
  }
}

@Command('bench.counter.count')
export class Count {
  @AggregateId() readonly counterId: string
  constructor(counterId: string) {
    this.counterId = counterId
  }
}

@Event('bench.counter.counted')
export class Counted {
  constructor(readonly by: number) {}
}

@Aggregate('counter')
export class Counter {
  private count = 0

  @CommandHandler(Look)
  look(_command: Look): undefined {}

  @CommandHandler(Count)
  add(_command: Count) {
    return new Counted(1)
  }

  @EventHandler(Counted)
  onCounted({ by }: Counted) {
    this.count += by
  }
}
