// What was acknowledged, and when: a strong answer must know all of it that came before it was asked for.
import type { Evidence } from './evidence.js'
import type { LogEvent } from './log.js'

/**
 * By stream: when each append was acknowledged to somebody, with its last event. Not what outsiders wrote: the lease by which
 * an owner answers knows nothing of them.
 */
export function acknowledgements(evidence: Evidence): Map<string, { end: number; event: LogEvent }[]> {
  const found = new Map<string, { end: number; event: LogEvent }[]>()
  for (const { outcome, end, streamId, commandId, outsider } of evidence.appends) {
    const event = evidence.ofCommand(streamId, commandId).at(-1)
    if (outcome.told !== 'appended' || end === null || event === undefined || outsider !== undefined) continue
    const known = found.get(streamId)
    if (known === undefined) found.set(streamId, [{ end, event }])
    else known.push({ end, event })
  }
  return found
}

/** The version that somebody had been told of before this time. */
export function versionKnown(
  acknowledged: ReadonlyMap<string, readonly { end: number; event: LogEvent }[]>,
  streamId: string,
  time: number,
): number {
  let version = 0
  for (const { end, event } of acknowledged.get(streamId) ?? []) {
    if (end < time && event.version > version) version = event.version
  }
  return version
}
