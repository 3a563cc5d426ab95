// What `pnpm faults --model` prints: JSON lines, and the seeds that failed.
import type { Violation } from '../checker/check-history.js'
import { plant } from './plant.js'
import { plants } from './plants.js'
import { playHistory } from './play-history.js'
import { noticed, runModel } from './run-model.js'
import { sound } from './subject.js'

const line = (facts: object) => void process.stdout.write(`${JSON.stringify(facts)}\n`)
const brief = ({ rule, says }: Violation) => `${rule}: ${says.split('\n')[0]}`

/** Many histories; false when any broke. */
export async function model(from: number, histories: number): Promise<boolean> {
  const { failed, perMinute, totals } = await runModel(sound, { from, histories })
  for (const { seed, verdict } of failed.slice(0, 10))
    line({ name: 'model.broken', seed, violations: verdict.violations.map(brief) })
  line({ name: 'model.histories', value: histories, from, broken: failed.length, ...totals })
  line({ name: 'model.rate', value: perMinute, unit: 'histories/minute' })
  for (const { seed } of failed.slice(0, 10)) console.error(`Play it again: pnpm faults --model --seed ${seed}`)
  return failed.length === 0
}

/** One history, told step by step. */
export async function replay(seed: number): Promise<boolean> {
  const { verdict, story, operations, log } = await playHistory(seed, sound)
  for (const what of story) console.error(what)
  for (const operation of operations) line(operation)
  for (const record of log) line(record)
  for (const violation of verdict.violations) line(violation)
  line({ name: 'model.history', seed, violations: verdict.violations.length, ...verdict.facts })
  return verdict.violations.length === 0
}

/** Every planted bug, until it goes red; false when one is not noticed in so many histories. */
export async function planted(histories: number): Promise<boolean> {
  let unnoticed = 0
  for (const bug of plants) {
    const subject = await plant(bug)
    const { failed, histories: played } = await runModel(subject, {
      from: 1,
      histories,
      often: bug.often,
      enough: noticed,
    })
    const first = failed.find(noticed)
    if (first === undefined) unnoticed++
    const rules = [...new Set(first?.verdict.violations.map(({ rule }) => rule))]
    line({
      name: `planted.${bug.name}`,
      noticed: first !== undefined,
      histories: played,
      seed: first?.seed,
      rules,
      does: bug.does,
    })
  }
  line({ name: 'planted', value: plants.length, unnoticed })
  return unnoticed === 0
}
