import { expect, test } from 'vitest'
import { createApplication, defineDecider, InMemorySnapshotStore, type Message } from '../index.js'

type Add = Message<'sum.add', { id: string; by: number }>
type Added = Message<'sum.added', { by: number }>

/** Says on which state it decides; refuses to fold `poison`. */
function sum(revision: number, seen: number[], poison?: number) {
  return defineDecider<{ total: number }, Add, Added>({
    category: 'sum',
    revision,
    commands: { 'sum.add': {} },
    events: { 'sum.added': {} },
    identify: (command) => command.data.id,
    initial: () => ({ total: 0 }),
    decide: (command, state) => {
      seen.push(state.total)
      return [
        { type: 'sum.added', data: { by: command.data.by } },
        { type: 'sum.added', data: { by: command.data.by } },
      ]
    },
    evolve: (state, event) => {
      if (event.data.by === poison) throw new Error('poison')
      // Changes the state in place, as aggregate classes do.
      state.total += event.data.by
      return state
    },
  })
}

const add = (by: number): Add => ({ type: 'sum.add', data: { id: '1', by } })

test('a kept state is the state folded anew', async () => {
  const seen: number[] = []
  const app = await createApplication({ aggregates: [sum(1, seen)] })
  for (const by of [1, 2, 3]) await app.commands.execute(add(by))
  expect(seen).toEqual([0, 2, 6])
  await app.stop()
})

test('a snapshot of another revision is ignored', async () => {
  const seen: number[] = []
  const snapshots = new InMemorySnapshotStore({ max: 10 })
  const app = await createApplication({ aggregates: [sum(2, seen)], snapshots })
  await app.commands.execute(add(1))
  snapshots.save('sum-1', { state: { total: 1_000 }, version: 2, revision: 1 })
  await app.commands.execute(add(1))
  expect(seen).toEqual([0, 2])
  await app.stop()
})

test('a state that could not be folded to the end is not kept', async () => {
  const seen: number[] = []
  const snapshots = new InMemorySnapshotStore({ max: 10 })
  const app = await createApplication({ aggregates: [sum(1, seen, 13)], snapshots })
  await app.commands.execute(add(1))
  await app.commands.execute(add(13))
  await expect(app.commands.execute(add(1))).rejects.toThrow('poison')
  expect(snapshots.load('sum-1')).toBeUndefined()
  await app.stop()
})
