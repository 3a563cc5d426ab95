// What a user writes into narrative.config.ts.
import type { ApplicationOptions, EventStorage } from '@narrative/core'
import type { ProjectionLike, ReadModels } from '@narrative/projections'

/**
 * What the command `narrative` looks at. Everything means what it means to `createApplication` and `projections`; nothing is
 * opened before it is needed, and the event store only for reading.
 */
export interface Config extends Pick<ApplicationOptions, 'aggregates' | 'modules' | 'container'> {
  /** Where the events are, as the service has it. */
  readonly eventStore: EventStorage
  /** The classes (or definitions) of the service's projections. */
  readonly projections?: readonly ProjectionLike[]
  /** Where the projections keep what they know, as the service has it. */
  readonly readModels?: ReadModels
}

/**
 * Describes a project to the command `narrative`; the default export of `narrative.config.ts`.
 *
 * @example
 * ```ts
 * export default defineConfig({
 *   eventStore: kafkaEventStore({ brokers: ['localhost:9092'], context: 'shop' }),
 *   aggregates: [Order],
 *   projections: [OrdersView],
 *   readModels: postgresReadModels({ url: 'postgres://localhost/orders' }),
 * })
 * ```
 */
export function defineConfig(config: Config): Config {
  return config
}
