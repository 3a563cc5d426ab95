// A fault: harm that is done and put right again.
import type { Random } from '../random.js'
import type { ServiceClients } from './service-clients.js'
import type { Stage } from './stage.js'

/** Where it happens, and by chance of what. */
export interface Scene extends Stage {
  readonly random: Random
  readonly clients: ServiceClients
}

/** Resolves when all is as it was; says what was struck. */
export type Fault = (scene: Scene) => Promise<string>

/** Faults by their names. */
export type Faults = Readonly<Record<string, Fault>>
