// The parts of an application as the query bus sees them: read models to wait for and to watch.
import { NarrativeError } from '../errors/narrative-error.js'
import type { ReadModelWatcher } from '../query-handling/live-query.js'
import type { QueriedReadModels } from '../query-handling/query-bus.js'
import type { ApplicationPart } from './application-part.js'

/** All parts are asked; one that has not got the read model has nothing to say. Closed, every query that is open ends. */
export function watchedParts(parts: readonly ApplicationPart[]): QueriedReadModels & { close(): void } {
  const watchers = new Set<ReadModelWatcher>()
  const closed = new NarrativeError('STORE_CLOSED', {
    message: 'The application was stopped; live queries end with it.',
  })
  return {
    async waitFor(position, wait) {
      await Promise.all(parts.map((part) => part.waitFor?.(position, wait)))
    },
    watch(watcher, readModel) {
      watchers.add(watcher)
      const unwatch = parts.map((part) => part.watch?.(watcher, readModel))
      return () => {
        watchers.delete(watcher)
        for (const each of unwatch) each?.()
      }
    },
    close() {
      for (const watcher of watchers) watcher.stopped(closed)
    },
  }
}
