// The answers of the buses are typed by what messages declare.
import { emits, returns } from '../messages/message-class.js'
import type { QueryBus } from '../query-handling/query-bus.js'
import type { CommandBus } from './command-bus.js'

class Opened {
  readonly owner!: string
}

class Open {
  declare readonly [emits]: Opened
}

class Silent {}

class Find {
  declare readonly [returns]: string | undefined
}

export async function types(commands: CommandBus, queries: QueryBus): Promise<void> {
  const { events, version, position } = await commands.execute(new Open())
  events.map((event) => event.owner.length)
  version.toFixed()
  position?.offset.toFixed()
  // @ts-expect-error an Opened has no price
  events[0]?.price

  const silent = await commands.execute(new Silent())
  // @ts-expect-error nothing is known of these events
  silent.events[0]?.owner

  const found = await queries.execute(new Find())
  found?.length
  // @ts-expect-error it may not be there
  found.length
  const unknownAnswer = await queries.execute(new Silent())
  // @ts-expect-error nothing is known of this answer
  unknownAnswer.length
}
