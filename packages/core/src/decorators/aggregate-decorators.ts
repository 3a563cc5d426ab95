// @Aggregate, @CommandHandler and @EventHandler: which class decides, and how its state follows.
import type { Class } from '../messages/message-class.js'
import { addHandlerMark, setMark } from './marks.js'
import type { CommandHandlerMethod, EventHandlerMethod } from './signatures.js'

/** Options of {@link Aggregate}. */
export interface AggregateOptions {
  /** Raise it when the meaning of the state changes: older snapshots are then ignored. Default 1. */
  readonly revision?: number
  /**
   * A snapshot of the state is kept every so many events, where the event store keeps any; default none. The fields are
   * kept as JSON; a state that JSON does not give back as it was needs the methods of {@link SnapshotState}.
   */
  readonly snapshotEvery?: number
}

/** An aggregate that says itself what a snapshot of it is. */
export interface SnapshotState {
  /** What to keep: plain data. */
  toSnapshot?(): unknown
  /** Called on a fresh instance. */
  fromSnapshot?(data: any): void
}

/**
 * Marks a class as an aggregate. It needs a constructor without parameters; its fields are its state.
 *
 * @param category names its streams and its topic: `order` gives streams `order-<id>` in `<context>.order.events`
 */
export function Aggregate(category: string, { revision = 1, snapshotEvery }: AggregateOptions = {}) {
  return (target: new () => object): void => setMark('aggregate', target, { category, revision, snapshotEvery })
}

/**
 * Marks the method that decides a command. It reads the state and returns an event, several, or none; it throws to refuse.
 * It may be async. It never changes the state: event handlers do.
 */
export function CommandHandler<C extends object>(commandClass: Class<C>) {
  return <F>(
    prototype: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<F> & CommandHandlerMethod<C, F>,
  ): void => addHandlerMark('commandHandlers', prototype, { method, messageClass: commandClass })
}

/**
 * Marks the method that changes the state of an aggregate when an event has happened: pure, synchronous, no services.
 */
export function EventHandler<E extends object>(eventClass: Class<E>) {
  return <F>(
    prototype: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<F> & EventHandlerMethod<E, F>,
  ): void => addHandlerMark('eventHandlers', prototype, { method, messageClass: eventClass })
}
