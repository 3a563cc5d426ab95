// `narrative doctor`: whether this project can work here, one finding per thing that was looked at.
import { relative } from 'node:path'
import {
  createApplication,
  type Finding,
  inMemoryEventStore,
  isNarrativeError,
  silentLogger,
  systemClock,
} from '@narrative/core'
import type { Command } from 'commander'
import type { Config } from '../configuration/define-config.js'
import { installedPackages } from '../configuration/installed-packages.js'
import { exitCode } from '../exit-code.js'
import { definitionOf, viewsOf } from '../project.js'
import { Refusal } from '../refusal.js'
import { type GlobalOptions, outputOf, type Surroundings, terminalLogger } from '../surroundings.js'
import { counted } from '../terminal/counted.js'
import type { Output } from '../terminal/output.js'
import { examples } from './examples.js'

export function describeDoctor(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('doctor')
    .summary('whether this project can work here')
    .description(
      'Looks at the configuration, the installed packages, the event store and the read models: whether they can be reached, and are such that no event is lost. Changes nothing.',
    )
    .addHelpText(
      'after',
      `${examples(['narrative doctor', 'after a deployment'], ['narrative doctor --json', 'one finding per line'])}

Exits 0 when nothing is at fault, else 3. A warning (!) is no fault.`,
    )
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>()
    const output = outputOf(surroundings, options)
    const { config, file } = await surroundings.loadConfig(options.config)
    let faults = 0
    for await (const finding of examine(config, file, output)) {
      if (finding.state === 'fault') faults++
      await output.result(finding, findingText(finding, output))
    }
    if (faults > 0)
      throw new Refusal(
        exitCode.notFoundOrUnhealthy,
        `${faults === 1 ? 'One thing is' : `${faults} things are`} at fault.`,
      )
    output.note(output.paint.green('Nothing is at fault.'))
  })
}

async function* examine(config: Config, file: string, output: Output): AsyncGenerator<Finding> {
  yield { state: 'ok', subject: 'Node', detail: process.versions.node }
  yield* installedPackages(file)
  yield* await applicationFindings(config, relative(process.cwd(), file))
  const categories = config.aggregates.map((aggregate) => definitionOf(aggregate).category)
  yield* await eventStoreFindings(config, categories, output)
}

/** Everything that is wrong with classes, their decorators and their tables, as the service would be told at its start. */
async function applicationFindings(config: Config, file: string): Promise<Finding[]> {
  const { aggregates, modules, container, projections = [] } = config
  const [subject, logger] = ['configuration', silentLogger]
  let readModels: readonly Finding[]
  try {
    const views = viewsOf(config)
    const app = await createApplication({
      aggregates,
      modules,
      container,
      parts: [views],
      logger,
      eventStore: inMemoryEventStore(),
    })
    readModels = await views.inspect()
    await app.stop()
  } catch (error) {
    if (!isNarrativeError(error, 'STARTUP_FAULTS')) throw error
    return (error.details.faults as readonly string[]).map((detail) => ({ state: 'fault', subject, detail }))
  }
  const detail = `${file}: ${counted(aggregates.length, 'aggregate')}, ${counted(projections.length, 'projection')}`
  return [{ state: 'ok', subject, detail }, ...readModels]
}

async function eventStoreFindings(
  { eventStore }: Config,
  categories: readonly string[],
  output: Output,
): Promise<readonly Finding[]> {
  const context = { categories, clock: systemClock, logger: terminalLogger(output) }
  const subject = `event store ${eventStore.name}`
  try {
    if (eventStore.inspect !== undefined) return await eventStore.inspect(context)
    const { close } = await eventStore.open({ ...context, categories: [] })
    await close()
    return [{ state: 'ok', subject, detail: 'can be opened' }]
  } catch (error) {
    if (!isNarrativeError(error)) throw error
    return [{ state: 'fault', subject, detail: error.message }]
  } finally {
    output.clear()
  }
}

function findingText({ state, subject, detail }: Finding, { paint }: Output): string {
  const sign = { ok: paint.green('✓'), warning: paint.yellow('!'), fault: paint.red('✗') }[state]
  return `${sign} ${subject.padEnd(24)}  ${detail.replaceAll('\n', '\n    ')}`
}
