// @Aggregate, @CommandHandler and @EventHandler: which class decides, and how its state follows.
import type { Class } from '../messages/message-class.js'
import { addHandlerMark, setMark } from './marks.js'
import type { CommandHandlerMethod, EventHandlerMethod } from './signatures.js'

/**
 * Marks a class as an aggregate. It needs a constructor without parameters; its fields are its state.
 *
 * @param category names its streams and its topic: `order` gives streams `order-<id>` in `<context>.order.events`
 * @param options `revision`: raise it when the meaning of the state changes, so that older snapshots are ignored (default 1)
 */
export function Aggregate(category: string, options: { readonly revision?: number } = {}) {
  return (target: new () => object): void => setMark('aggregate', target, { category, revision: options.revision ?? 1 })
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
