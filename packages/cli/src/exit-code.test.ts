// The guide lists every exit code, and no other.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCode } from './exit-code.js'

test('docs/cli.md lists the exit codes', () => {
  const guide = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
  const table = guide.slice(guide.indexOf('| Exit code |')).split('\n\n')[0]!
  const listed = [...table.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes]) => codes!.split(', ').map(Number))
  expect(listed.sort()).toEqual(Object.values(exitCode).sort())
})
