// Where the framework reports what it does. pino fits it as it is.

/** Takes facts and a sentence; the method names and argument order are pino's. */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** Drops everything. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Writes warnings and errors, and `info` when asked, to standard error, a line each. */
export function stderrLogger(level: 'info' | 'warn' = 'warn'): Logger {
  const write = (name: string) => (facts: object, message: string) => {
    const error = (facts as { error?: unknown }).error
    const cause = error instanceof Error ? ` (${error.message})` : ''
    process.stderr.write(`narrative ${name}: ${message}${cause}\n`)
  }
  return {
    debug: () => {},
    info: level === 'info' ? write('info') : () => {},
    warn: write('warn'),
    error: write('error'),
  }
}
