// Finds and loads the configuration file; what is wrong with it is said in terms of that file.
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isNarrativeError } from '@narrative/core'
import { wrongUsage } from '../refusal.js'
import type { Config } from './define-config.js'

const names = ['narrative.config.ts', 'narrative.config.mts', 'narrative.config.js', 'narrative.config.mjs']

/** A configuration, and where it was found. */
export interface LoadedConfig {
  readonly config: Config
  /** Absolute. */
  readonly file: string
}

/**
 * Loads the file that was named, or the one in the working directory.
 *
 * TypeScript is compiled by tsx as it is imported, with the decorators that the nearest tsconfig.json asks for. It is registered
 * for the whole process: under a namespace of its own the user's classes would be built on a second copy of `@narrative/core`.
 *
 * @throws Refusal when there is none, or when it is not one
 */
export async function loadConfig(named: string | undefined): Promise<LoadedConfig> {
  const file = findConfig(named)
  const shown = relative(process.cwd(), file) || file
  if (/\.m?ts$/.test(file)) {
    const { register } = await import('tsx/esm/api')
    register({ tsconfig: nearestTsconfig(file) })
  }
  let loaded: { default?: unknown }
  try {
    loaded = await import(pathToFileURL(file).href)
  } catch (error) {
    throw wrongUsage(`${shown} could not be loaded: ${reasonOf(error)}`, error)
  }
  const faults = faultsOf(loaded.default)
  if (faults.length > 0) {
    throw wrongUsage(
      `${shown} is no configuration:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nWrite: export default defineConfig({ eventStore, aggregates, projections, readModels })`,
    )
  }
  return { config: loaded.default as Config, file }
}

function findConfig(named: string | undefined): string {
  if (named !== undefined) {
    const file = resolve(named)
    if (existsSync(file)) return file
    throw wrongUsage(`There is no file ${named}. --config names a file such as ${names[0]}.`)
  }
  const found = names.map((name) => resolve(name)).find((file) => existsSync(file))
  if (found !== undefined) return found
  throw wrongUsage(
    `There is no ${names[0]} (or ${names
      .slice(1)
      .map((name) => name.slice(name.lastIndexOf('.')))
      .join(
        ', ',
      )}) in ${process.cwd()}.\nChange to the directory that has one, name it with --config <file>, or write one:

  import { defineConfig } from '@narrative/cli'

  export default defineConfig({
    eventStore: kafkaEventStore({ brokers: ['localhost:9092'], context: 'shop' }),
    aggregates: [Order],
    projections: [OrdersView],
    readModels: postgresReadModels({ url: process.env.DATABASE_URL }),
  })`,
  )
}

function nearestTsconfig(file: string): string | false {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const candidate = join(directory, 'tsconfig.json')
    if (existsSync(candidate)) return candidate
    if (directory === dirname(directory)) return false
  }
}

function faultsOf(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return ['it has no default export that is an object.']
  const { eventStore, aggregates, projections, readModels } = config as Partial<Record<keyof Config, any>>
  const faults: string[] = []
  if (typeof eventStore?.open !== 'function')
    faults.push('eventStore must be an event store that is not open yet, such as kafkaEventStore({ … }).')
  if (!Array.isArray(aggregates))
    faults.push('aggregates must be a list of classes marked with @Aggregate, or deciders.')
  if (projections !== undefined && !Array.isArray(projections))
    faults.push('projections must be a list of classes marked with @Projection; where they are kept is readModels.')
  if (projections?.length > 0 && typeof readModels?.openTable !== 'function')
    faults.push('readModels must say where the projections are kept, such as postgresReadModels({ url }).')
  return faults
}

/** A Narrative error explains itself; for what the user's own code threw, the place is worth more than the whole stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (isNarrativeError(error)) return error.message
  const place = error.stack?.split('\n').find((line) => /^ +at /.test(line) && !/node:|node_modules/.test(line))
  return place === undefined ? error.message : `${error.message}\n  ${place.trim()}`
}
