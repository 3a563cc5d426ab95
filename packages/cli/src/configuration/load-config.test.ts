// The configuration file: found, compiled, checked; and what is said of one that cannot be used.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { recordsIn } from '../cli.test-support.js'
import { narrativeProcess as narrative, shop } from '../cli-process.test-support.js'

const made: string[] = []
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A project with these files, and this package's dependencies. */
function project(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'narrative-cli-'))
  made.push(directory)
  const own = fileURLToPath(new URL('../../', import.meta.url))
  mkdirSync(join(directory, 'node_modules', '@narrative'), { recursive: true })
  for (const name of ['core', 'local-store', 'projections'])
    symlinkSync(join(own, 'node_modules', '@narrative', name), join(directory, 'node_modules', '@narrative', name))
  symlinkSync(own, join(directory, 'node_modules', '@narrative', 'cli'))
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files }))
    writeFileSync(join(directory, name), text)
  return directory
}

const plain = `
import { embeddedEventStore } from '@narrative/local-store'
export default { eventStore: embeddedEventStore({ directory: 'data' }), aggregates: [] }`

test('without a file: what to write, and where', async () => {
  const cwd = project({})
  const { code, err } = await narrative(['streams', 'list'], { cwd })
  expect(code).toBe(2)
  expect(err).toContain('There is no narrative.config.ts (or .mts, .js, .mjs) in')
  expect(err).toContain('export default defineConfig({')
})

test('a file that was named and is not there', async () => {
  const { code, err } = await narrative(['streams', 'list', '--config', 'elsewhere.ts'])
  expect(code).toBe(2)
  expect(err).toContain('There is no file elsewhere.ts')
})

test.each(['narrative.config.js', 'narrative.config.mjs', 'narrative.config.ts', 'narrative.config.mts'])(
  '%s in the working directory is found',
  async (name) => {
    const { code, err } = await narrative(['streams', 'list'], { cwd: project({ [name]: plain }) })
    expect({ code, err }).toEqual({ code: 0, err: 'No streams.\n' })
  },
)

test('decorators in TypeScript work, whatever the working directory', async () => {
  const cwd = project({})
  const env = { SHOP_DIRECTORY: join(cwd, 'data') }
  const ended = await narrative(['doctor', '--json', '-c', join(shop, 'narrative.config.ts')], { cwd, env })
  expect(ended.code).toBe(0)
  expect(recordsIn(ended).find(({ subject }) => subject === 'configuration')?.detail).toMatch(
    /1 aggregate, 1 projection$/,
  )
})

test('code that throws is said with its place, and without the stack', async () => {
  const cwd = project({ 'narrative.config.ts': `const url: string = ''\nthrow new Error('DATABASE_URL is not set')` })
  const { code, err } = await narrative(['streams', 'list'], { cwd })
  expect(code).toBe(2)
  expect(err).toMatch(
    /narrative\.config\.ts could not be loaded: DATABASE_URL is not set\n +at .*narrative\.config\.ts:2/,
  )
  expect(err.match(/^ +at /gm)).toHaveLength(1)
})

test('everything that is missing is said at once', async () => {
  const cwd = project({ 'narrative.config.js': 'export default { eventStore: 7, projections: [class {}] }' })
  const { code, err } = await narrative(['streams', 'list'], { cwd })
  expect(code).toBe(2)
  for (const property of ['eventStore', 'aggregates', 'readModels']) expect(err).toContain(`- ${property} must`)
  const none = await narrative(['streams', 'list'], { cwd: project({ 'narrative.config.js': 'export const a = 1' }) })
  expect(none.err).toContain('no default export')
})

test('faults of the classes are said as the service would say them', async () => {
  const text = plain.replace('aggregates: []', 'aggregates: [class Empty {}]')
  const { code, err } = await narrative(['streams', 'list'], { cwd: project({ 'narrative.config.js': text }) })
  expect(code).toBe(1)
  expect(err).toContain('Class Empty is not marked with @Aggregate(category).')
  expect(err).toContain('STARTUP_FAULTS')
})
