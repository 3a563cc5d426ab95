// All faults of the suite.
import { brokerFaults } from './broker-faults.js'
import type { Faults } from './fault.js'
import { instanceFaults } from './instance-faults.js'
import { networkFaults } from './network-faults.js'
import { replicaFaults } from './replica-faults.js'
import { rogueFaults } from './rogue-faults.js'

export const suiteFaults: Faults = {
  ...instanceFaults,
  ...replicaFaults,
  ...brokerFaults,
  ...networkFaults,
  ...rogueFaults,
}

/** These take long by nature, as a broker does to start; in pairs they come more seldom. */
export const slowFaults: ReadonlySet<string> = new Set([
  ...Object.keys(brokerFaults),
  'an instance is frozen for three sessions',
  'the event loop of an instance stands still for 15 s',
  'instances join and leave every 2 s',
])
