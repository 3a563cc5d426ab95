// The parts of an application as the query bus sees them: read models to wait for and to watch.
import { NarrativeError } from '../errors/narrative-error.js'
import type { ReadModelWatcher } from '../query-handling/live-query.js'
import type { QueriedReadModels } from '../query-handling/query-bus.js'
import type { ApplicationPart } from './application-part.js'

/** All parts are asked; when none has the read model, nobody would ever answer. Closed, every query that is open ends. */
export function watchedParts(parts: readonly ApplicationPart[]): QueriedReadModels & { close(): void } {
  const watchers = new Set<ReadModelWatcher>()
  const closed = new NarrativeError('STORE_CLOSED', {
    message: 'The application was stopped; live queries end with it.',
  })
  return {
    async waitFor(position, wait) {
      const waits = parts.map((part) => part.waitFor?.(position, wait)).filter((each) => each !== undefined)
      if (waits.length === 0) throw unfollowed(wait.readModel)
      await Promise.all(waits)
    },
    watch(watcher, readModel) {
      const unwatch = parts.map((part) => part.watch?.(watcher, readModel)).filter((each) => each !== undefined)
      if (unwatch.length === 0) throw unfollowed(readModel)
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
        for (const each of unwatch) each()
      }
    },
    close() {
      for (const watcher of watchers) watcher.stopped(closed)
    },
  }
}

function unfollowed(readModel: object | undefined): NarrativeError<'READ_MODEL_UNFOLLOWED'> {
  const { name } = (readModel ?? {}) as { readonly name?: unknown }
  const what = name === undefined ? 'no read models' : `no read model ${name}`
  return new NarrativeError('READ_MODEL_UNFOLLOWED', {
    message: `This application has ${what}, so there is nothing to wait for. Give its projections to createApplication({ parts: [projections([…], { store })] }), or ask once, and without "after".`,
    details: { readModel: name },
  })
}
