// A few histories in every test run; `pnpm faults --model` plays thousands, and plants bugs.
import { expect, test } from 'vitest'
import { plant } from './plant.js'
import { plants } from './plants.js'
import { playHistory } from './play-history.js'
import { noticed, runModel } from './run-model.js'
import { sound } from './subject.js'

test('nothing is lost, doubled or told wrongly in 150 random histories', async () => {
  const { failed, totals } = await runModel(sound, { from: 1, histories: 150 })
  expect(failed.map(({ seed, verdict }) => ({ seed, violations: verdict.violations }))).toEqual([])
  // The histories hold what they are about.
  expect(totals.acknowledged).toBeGreaterThan(3_000)
  for (const rare of ['conflicts', 'refused', 'unknown', 'unknownThere']) {
    expect(totals[rare], rare).toBeGreaterThan(20)
  }
  expect(totals.voids).toBeGreaterThan(0)
}, 120_000)

test('a seed plays the same history again, to the last step', async () => {
  const [first, second] = [await playHistory(4711, sound), await playHistory(4711, sound)]
  expect(second).toEqual(first)
  expect(first.operations.length).toBeGreaterThan(50)
})

test.each(plants.map((bug) => [bug.name, bug] as const))(
  'a planted bug is noticed: %s',
  async (_, bug) => {
    const { failed } = await runModel(await plant(bug), {
      from: 1,
      histories: 1_000,
      often: bug.often,
      enough: noticed,
    })
    expect(failed.filter(noticed)).toHaveLength(1)
  },
  300_000,
)
