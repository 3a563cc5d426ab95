// Wrong handler signatures must not compile; right ones must.
import type { CommandContext, EventContext } from '../definition/aggregate-definition.js'
import { returns } from '../messages/message-class.js'
import { Aggregate, CommandHandler, EventHandler } from './aggregate-decorators.js'
import { AggregateId, Command, Event } from './message-decorators.js'
import { QueryHandler } from './query-handler.js'

@Command('a.open')
class Open {
  @AggregateId() readonly id!: string
  readonly owner!: string
}

@Command('a.close')
class Close {
  @AggregateId() readonly id!: string
  readonly reason!: string
}

@Event('a.opened')
class Opened {
  readonly owner!: string
}

@Event('a.closed')
class Closed {
  readonly reason!: string
}

class Find {
  declare readonly [returns]: { name: string } | undefined
}

@Aggregate('right')
export class Right {
  @CommandHandler(Open) open(_command: Open, _context: CommandContext) {
    return new Opened()
  }
  @CommandHandler(Close) async close(_command: Close) {
    return [new Closed(), new Opened()]
  }
  @CommandHandler(Open) nothing() {}
  @CommandHandler(Open) perhaps(command: Open) {
    return command.owner === '' ? undefined : new Opened()
  }
  @CommandHandler(Open) structural(_command: { owner: string }) {
    return new Opened()
  }
  @EventHandler(Opened) opened() {}
  @EventHandler(Closed) closed(_event: Closed, _context: EventContext) {}
  @QueryHandler(Find) find(_query: Find) {
    return { name: 'x' }
  }
  @QueryHandler(Find) async findLater(): Promise<{ name: string } | undefined> {
    return undefined
  }
}

export class Wrong {
  // @ts-expect-error the parameter is another command
  @CommandHandler(Open) open(_command: Close) {
    return new Opened()
  }
  // @ts-expect-error a number is not an event
  @CommandHandler(Open) count(_command: Open) {
    return 1
  }
  // @ts-expect-error nor is a promise of a string
  @CommandHandler(Open) async later(_command: Open) {
    return 'opened'
  }
  // @ts-expect-error the context is not a string
  @CommandHandler(Open) context(_command: Open, _context: string) {}
  // @ts-expect-error the parameter is another event
  @EventHandler(Opened) opened(_event: Closed) {}
  // @ts-expect-error an event handler returns nothing
  @EventHandler(Opened) returning(_event: Opened) {
    return 1
  }
  // @ts-expect-error an event handler is synchronous
  @EventHandler(Opened) async waiting(_event: Opened) {}
  // @ts-expect-error the answer is not what the query declares
  @QueryHandler(Find) find(_query: Find) {
    return { name: 1 }
  }
}

// @ts-expect-error an aggregate is made without parameters
@Aggregate('parameters')
export class Parameters {
  constructor(readonly service: object) {}
}
