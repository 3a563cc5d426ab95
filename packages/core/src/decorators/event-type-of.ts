// An @Event class as the codec needs it.
import type { EventType, Upcaster } from '../codec/event-type.js'
import type { Class } from '../messages/message-class.js'
import { getMark } from './marks.js'

const known = new WeakMap<object, EventType>()

/** The stored form of a class marked with `@Event`, or undefined when it is not marked. */
export function eventTypeOf<E extends object>(eventClass: Class<E>): EventType<E> | undefined {
  const cached = known.get(eventClass)
  if (cached !== undefined) return cached as EventType<E>
  const mark = getMark('event', eventClass)
  if (mark === undefined) return undefined
  const prototype = eventClass.prototype as object
  const type: EventType<E> = {
    name: mark.name,
    version: mark.version,
    eventClass,
    revivesRichValues: mark.revive !== undefined,
    revive:
      (mark.revive as ((data: unknown) => E) | undefined) ??
      ((data) => {
        if (typeof data !== 'object' || data === null) throw new TypeError(`the data of ${mark.name} is not an object`)
        return Object.assign(Object.create(prototype), data) as E
      }),
    plain: (event) => event,
    upcasters: new Map(Object.entries(mark.upcast).map(([from, upcast]): [number, Upcaster] => [Number(from), upcast])),
  }
  known.set(eventClass, type)
  return type
}
