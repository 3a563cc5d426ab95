// The part of a help text that teaches: what one would really type, and what for.

/** A command line, and what it is for. */
export type Example = readonly [command: string, purpose: string]

/** @param examples a command line each, with what it does */
export function examples(...lines: readonly Example[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map(([command, purpose]) => `  $ ${command.padEnd(width)}  # ${purpose}`).join('\n')}`
}
