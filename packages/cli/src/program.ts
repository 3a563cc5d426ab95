// The tree of commands and their help.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { describeDeadLettersAsk } from './commands/dead-letters-ask.js'
import { describeDeadLettersList } from './commands/dead-letters-list.js'
import { describeDeadLettersShow } from './commands/dead-letters-show.js'
import { describeDoctor } from './commands/doctor.js'
import { describeEventsTail } from './commands/events-tail.js'
import { type Example, examples } from './commands/examples.js'
import { describeProjectionsControl } from './commands/projections-control.js'
import { describeProjectionsList } from './commands/projections-list.js'
import { describeProjectionsRebuild } from './commands/projections-rebuild.js'
import { describeProjectionsStatus } from './commands/projections-status.js'
import { describeStreamsList } from './commands/streams-list.js'
import { describeStreamsRead } from './commands/streams-read.js'
import { describeStreamsState } from './commands/streams-state.js'
import type { Surroundings } from './surroundings.js'

/** Every command, ready to parse; errors of parsing are thrown as commander's. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('narrative')
    .description('Looks into the log, the streams and the read models of a Narrative service, and looks after them.')
    .option('-c, --config <file>', 'the configuration; default narrative.config.ts (.mts, .js, .mjs) in this directory')
    .option('--json', 'one JSON object per line, for programs')
    .version(ownVersion(), '-V, --version', 'the version of this command')
    .helpOption('-h, --help', 'help for a command')
    .usage('<command>')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, subcommandTerm })
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      getOutHelpWidth: () => helpWidth(surroundings.stdout),
      getErrHelpWidth: () => helpWidth(surroundings.stderr),
    })
    .exitOverride()
    .addHelpText(
      'after',
      `${examples(
        ['narrative doctor', 'can this project work here?'],
        ['narrative streams read order-4711', 'what happened to one order'],
      )}

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 not found or unhealthy.\nSee https://github.com/narrative-es/narrative/blob/main/docs/cli.md`,
    )
  describeDoctor(program, surroundings)
  const streams = group(program, 'streams', 'The events of single aggregates, and their state.', [
    'narrative streams read order-4711',
    'what happened to order 4711',
  ])
  describeStreamsList(streams, surroundings)
  describeStreamsRead(streams, surroundings)
  describeStreamsState(streams, surroundings)
  const events = group(program, 'events', 'All events, as they were appended.', [
    'narrative events tail',
    'what is happening now',
  ])
  describeEventsTail(events, surroundings)
  const projections = group(program, 'projections', 'The read models, and how they are.', [
    'narrative projections list',
    'their names, for the other commands',
  ])
  describeProjectionsList(projections, surroundings)
  describeProjectionsStatus(projections, surroundings)
  describeProjectionsRebuild(projections, surroundings)
  describeProjectionsControl(projections, surroundings)
  const deadLetters = group(program, 'dead-letters', 'Events that a projection could not apply.', [
    'narrative dead-letters list',
    'everything that is parked',
  ])
  describeDeadLettersList(deadLetters, surroundings)
  describeDeadLettersShow(deadLetters, surroundings)
  describeDeadLettersAsk(deadLetters, surroundings, 'redrive')
  describeDeadLettersAsk(deadLetters, surroundings, 'skip')
  for (const command of everyCommand(program)) styled(command)
  return program
}

/** A command that only holds others. */
function group(program: Command, name: string, description: string, example: Example): Command {
  const summary = description.charAt(0).toLowerCase() + description.slice(1, -1)
  const command = program.command(name).summary(summary).description(description).helpCommand(false)
  return command.usage('<command>').addHelpText('after', examples(example))
}

/** A command in the list of its group: its name and arguments. */
function subcommandTerm(command: Command): string {
  const args = command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`))
  return [command.name(), ...args].join(' ')
}

function* everyCommand(command: Command): Generator<Command> {
  yield command
  for (const child of command.commands) yield* everyCommand(child)
}

/** Headings that stand out, and a way on after a mistake. */
function styled(command: Command): void {
  const path: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name())
  command.showHelpAfterError(`${path.join(' ')} --help shows how.`)
}

function helpWidth(stream: NodeJS.WriteStream): number {
  return Math.min(stream.columns || 100, 100)
}

function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}
