// The help on every level teaches, and what is typed wrongly is answered with what would be right.
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { narrative, surroundings } from './cli.test-support.js'
import { createProgram } from './program.js'

function helpOf(find: (program: Command) => Command): string {
  const inside = surroundings()
  find(createProgram(inside)).outputHelp()
  return inside.out
}

function paths(command: Command, path: readonly string[] = []): string[] {
  return [path.join(' '), ...command.commands.flatMap((child) => paths(child, [...path, child.name()]))]
}

const everyPath = paths(createProgram(surroundings()))

test.each(everyPath)('narrative %s --help says what it does, and shows what one would type', (path) => {
  const names = path.split(' ').filter(Boolean)
  const help = helpOf((program) =>
    names.reduce((at, name) => at.commands.find((each) => each.name() === name)!, program),
  )
  expect(help).toMatch(new RegExp(`^Usage: narrative ?${path}`))
  expect(help).toMatch(new RegExp(`Examples?:\n {2}\\$ narrative ${path}`))
  expect(help.split('\n').filter((line) => line.length > 120)).toEqual([])
})

test('without arguments it shows its help, and that is no mistake', async () => {
  const { code, out, err } = await narrative([])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('Usage: narrative')
})

test.each([
  [['stream'], 'Did you mean streams?'],
  [['streams', 'raed', 'order-1'], 'Did you mean read?'],
  [['streams', 'read'], "missing required argument 'stream'"],
  [['streams', 'read', 'order-1', 'order-2'], 'too many arguments'],
  [['streams', 'state', 'order-1', '--as-off', '3'], 'Did you mean --as-of?'],
  [['streams', 'state', 'order-1', '--as-of', '2026-11-21 12:00'], 'an instant such as 2026-11-21T12:00:00Z'],
  [['events', 'tail', '--limit', '0'], 'a whole number from 1'],
  [['events', 'tail', '--from', 'yesterday'], 'a position such as shop.order.events/0@42'],
  [['streams'], 'Usage: narrative streams'],
])('%j is wrong usage', async (args, said) => {
  const { code, out, err } = await narrative(args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(said)
  expect(err).toMatch(/--help/)
  expect(err).not.toMatch(/^ +at /m)
})
