// An error as a person at a terminal should read it.
import { isNarrativeError } from '@narrative/core'
import { SettingsFaulty } from './settings.js'

/** The message of an error that explains itself; the stack of one that nobody expected. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof SettingsFaulty || isNarrativeError(error)) return error.message
  const { code, port } = error as { code?: unknown; port?: unknown }
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) return error.message
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Set PORT to another one, or to 0 for any that is free.`
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} may not be used by this user. Set PORT to another one.`
  return error.stack ?? error.message
}
