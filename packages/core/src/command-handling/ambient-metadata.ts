// Metadata that flows with a request: set once at the edge, found by every command sent inside.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { MessageMetadata } from '../messages/metadata.js'

/** What a request may carry for all its commands. */
export type AmbientMetadata = Partial<Pick<MessageMetadata, 'correlationId' | 'causationId' | 'traceparent'>>

const storage = new AsyncLocalStorage<AmbientMetadata>()

/**
 * Runs `work`; every command executed inside carries this metadata unless it brings its own.
 *
 * @example
 * ```ts
 * runWithMetadata({ correlationId: request.id, traceparent: request.headers.traceparent }, () => handle(request))
 * ```
 */
export function runWithMetadata<T>(metadata: AmbientMetadata, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...metadata }, work)
}

/** The metadata of the request this code runs in. */
export function currentMetadata(): AmbientMetadata {
  return storage.getStore() ?? {}
}
