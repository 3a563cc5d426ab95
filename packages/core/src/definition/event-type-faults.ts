// What can be wrong with an event's name and versions.
import type { EventType } from '../codec/event-type.js'

/** Everything wrong with an event type, a sentence each. */
export function eventTypeFaults(type: EventType): string[] {
  const faults: string[] = []
  if (type.name.trim() === '' || type.name.length > 200)
    faults.push(`The event name ${JSON.stringify(type.name)} must be 1 to 200 characters long.`)
  if (!Number.isInteger(type.version) || type.version < 1) {
    faults.push(`The version of event ${type.name} is ${type.version}; versions are whole numbers from 1.`)
  }
  for (const from of type.upcasters.keys()) {
    if (!Number.isInteger(from) || from < 1 || from >= type.version) {
      faults.push(
        `Event ${type.name} is at version ${type.version}, so its upcaster from version ${from} is never used.`,
      )
    }
  }
  const oldest = Math.min(...type.upcasters.keys())
  for (let version = oldest + 1; version < type.version; version++) {
    if (!type.upcasters.has(version))
      faults.push(`Event ${type.name} has no upcaster from version ${version} to ${version + 1}.`)
  }
  return faults
}
