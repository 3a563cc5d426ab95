// How often what goes wrong: every seed has a climate of its own, so that some faults meet undiluted.
import type { Random } from '../random.js'
import type { Weather } from './simulated-driver.js'

export const disturbanceNames = [
  'rival',
  'leave',
  'crash',
  'pause',
  'absence',
  'cut',
  'split',
  'leader',
  'shrink',
  'clock',
  'forget',
] as const

export type Disturbance = (typeof disturbanceNames)[number]

/** How a history is disposed. Numbers are weights and milliseconds. */
export interface Climate {
  readonly weather: Weather
  /** Whether identities and producer states may be forgotten: then the broker's fence has holes, and the fold must hold. */
  readonly forgetful: boolean
  /** Whether the group is the worst one: everybody is told to own everything, and claims alone must keep them apart. */
  readonly lawless: boolean
  /** Average time between two disturbances. */
  readonly calm: number
  /** How long clients pause at most. */
  readonly pace: number
  readonly streams: number
  /** How much of the work comes as commands, at any instance; the rest is appended and read at owners. */
  readonly routed: number
  readonly weights: Readonly<Record<Disturbance, number>>
}

/** @param often a disturbance that is to rule the climate, whatever the seed says */
export function climateOf(random: Random, often?: Disturbance): Climate {
  const some = (most: number) => (random.chance(0.4) ? 0 : random.next() * most)
  const forgetful = random.chance(0.35)
  const ruling = random.chance(0.5) ? random.pick(disturbanceNames) : undefined
  const weights = Object.fromEntries(
    disturbanceNames.map((name) => [name, name === ruling ? 3 : random.chance(0.4) ? 0 : random.next()]),
  )
  const climate: Climate = {
    weather: { lostRequest: some(0.06), lostAnswer: some(0.08), late: some(0.06), replication: random.next() * 30 },
    forgetful,
    lawless: random.chance(0.3),
    calm: random.between(200, 4_000),
    pace: random.between(5, 600),
    streams: random.between(1, 6),
    routed: random.chance(0.4) ? 0 : random.next(),
    weights: { ...weights, forget: forgetful ? 1 : 0 } as Climate['weights'],
  }
  return often === undefined ? climate : { ...climate, lawless: false, weights: { ...climate.weights, [often]: 9 } }
}
