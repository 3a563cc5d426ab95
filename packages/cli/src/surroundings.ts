// What every command is given, and the way from a command line to an opened project and back.
import type { Logger } from '@narrative/core'
import type { Command } from 'commander'
import type { LoadedConfig } from './configuration/load-config.js'
import { openProject, type Project } from './project.js'
import { Output, type Streams } from './terminal/output.js'

/** The process as far as a command may know it. */
export interface Surroundings extends Streams {
  /** Aborted by Ctrl-C, SIGTERM and a reader that goes away; its reason is a refusal with the exit code. */
  readonly signal: AbortSignal
  /** Finds the configuration: the file that was named, or the one in the working directory. */
  loadConfig(named: string | undefined): Promise<LoadedConfig>
}

/** What a command that looks into a project works with. */
export interface Session {
  readonly project: Project
  readonly output: Output
  readonly signal: AbortSignal
}

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

/** Does what a command is for. */
type Work<Options> = (session: Session, args: readonly string[], options: Options & GlobalOptions) => Promise<void>

/** Makes a command open the project, work, and close the project again. */
export function onProject<Options>(command: Command, surroundings: Surroundings, work: Work<Options>): void {
  command.action(async () => {
    const options = command.optsWithGlobals<Options & GlobalOptions>()
    const output = outputOf(surroundings, options)
    const { config } = await surroundings.loadConfig(options.config)
    const project = await openProject(config, terminalLogger(output))
    try {
      await work({ project, output, signal: surroundings.signal }, command.processedArgs, options)
    } finally {
      output.clear()
      await project.close()
    }
  })
}

/** Where a command with these options says things. */
export function outputOf(surroundings: Surroundings, { json = false }: GlobalOptions): Output {
  return new Output(surroundings, json)
}

/** Warnings and errors stay; news of progress is shown while it is news. */
export function terminalLogger(output: Output): Logger {
  const warn = (facts: object, message: string) => {
    const { error } = facts as { error?: unknown }
    output.warn(error instanceof Error ? `${message} (${error.message})` : message)
  }
  return { debug: () => {}, info: (_facts, message) => output.progress(message), warn, error: warn }
}
