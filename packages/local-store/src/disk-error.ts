// What a directory can do wrong, as errors that say what to do.
import { isNarrativeError, NarrativeError } from '@narrative/core'

/** Turns what the file system or the index said into an error of ours. */
export function diskFailed(what: string, directory: string, cause: unknown): NarrativeError {
  if (isNarrativeError(cause)) return cause
  const code = (cause as { code?: unknown }).code
  const text = cause instanceof Error ? cause.message : String(cause)
  const full = code === 'ENOSPC' || code === 'EFBIG' || code === 'EDQUOT' || /no space|file too large/i.test(text)
  const remedy = full
    ? 'The disk is full: make room.'
    : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
      ? 'This process may not write there: check the owner and the mode of the directory.'
      : 'Check the disk and the directory.'
  return new NarrativeError('DISK_FAILED', {
    message: `${what} in ${directory} failed: ${text}. ${remedy}`,
    details: { directory, code: typeof code === 'string' ? code : null },
    cause,
  })
}

/** The directory belongs to something else. */
export function directoryInvalid(directory: string, why: string): NarrativeError {
  return new NarrativeError('DIRECTORY_INVALID', {
    message: `${directory} cannot be opened: ${why}. Give another directory, or move this one away.`,
    details: { directory },
  })
}

/** What was written is not there any more as it was. */
export function logCorrupt(directory: string, why: string): NarrativeError {
  return new NarrativeError('LOG_CORRUPT', {
    message: `The events in ${directory} are damaged: ${why}. Restore the directory from a backup.`,
    details: { directory },
  })
}
