// What a group can refuse for good, in words that say what to do.
import { NarrativeError } from '@narrative/core'
import { isPassing, type ProtocolFailure } from './broker-failure.js'
import type { GroupOptions } from './kafka-driver.js'

const inconsistentProtocol = 23
const invalidSessionTimeout = 26
const fencedInstance = 82

/** @returns the failure itself when another attempt may cure it, else a `NarrativeError` */
export function groupError(failure: Error, code: number, { group, instanceId }: GroupOptions): Error {
  if (isPassing(failure)) return failure
  if (code === fencedInstance) {
    return new NarrativeError('INSTANCE_REPLACED', {
      message: `Another process joined the group ${group} as ${JSON.stringify(instanceId)}, so this one does no more work. Give each instance an instanceId of its own, and end this process.`,
      details: { group, instanceId },
    })
  }
  return new NarrativeError('BROKER_REFUSED', {
    message: `Joining the group ${group} was refused by Kafka: ${failure.message}. ${remedy(code)}`,
    details: { group, type: (failure as ProtocolFailure).type, code },
    cause: failure,
  })
}

function remedy(code: number): string {
  if (code === inconsistentProtocol) {
    return 'Another kind of consumer uses this group: choose another name with the option `group`.'
  }
  if (code === invalidSessionTimeout) {
    return 'Choose a sessionTimeout between group.min.session.timeout.ms and group.max.session.timeout.ms.'
  }
  return 'Give this user the right to read the group (ACLs).'
}
