// Methods that reach the outside, and do nothing while events are replayed.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HandlerDefinition } from './projection-definition.js'

/** Set while a handler is called with an event whose effects were had before. */
const replaying = new AsyncLocalStorage<true>()

/** Makes methods of an object do nothing while an event is replayed; they then return undefined. */
export function muteWhileReplaying(instance: object, methods: readonly (string | symbol)[]): void {
  for (const method of methods) {
    const original = (instance as Record<string | symbol, unknown>)[method] as (...args: unknown[]) => unknown
    const muted = (...args: unknown[]) => (replaying.getStore() ? undefined : original.apply(instance, args))
    Object.defineProperty(instance, method, { value: muted, configurable: true })
  }
}

/** A handler that says, around its call, whether its event is replayed. The context is the last thing a handler is given. */
export function tellingReplay(handler: HandlerDefinition): HandlerDefinition {
  return {
    ...handler,
    handle(...args) {
      const call = () => handler.handle.apply(this, args)
      const { isReplay } = args.at(-1) as { readonly isReplay: boolean }
      return isReplay ? replaying.run(true, call) : call()
    },
  }
}
