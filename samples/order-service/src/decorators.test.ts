// The same source, compiled by tsc, esbuild and vitest (with and without decorator metadata), behaves the same.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { probe } from './decorators.probe.test-support.js'

const run = promisify(execFile)
const sample = fileURLToPath(new URL('..', import.meta.url))
const source = join(sample, 'src', 'decorators.probe.test-support.ts')
let directory: string

beforeAll(async () => {
  // Inside the sample, so that what is compiled finds its dependencies.
  directory = await mkdtemp(join(sample, 'node_modules', '.decorators-'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Runs compiled JavaScript in a process of its own. */
async function probed(file: string): Promise<unknown> {
  const script = `import(${JSON.stringify(pathToFileURL(file).href)}).then((m) => m.probe()).then((found) => console.log(JSON.stringify(found)))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: sample })
  return JSON.parse(stdout)
}

async function byTsc(...flags: string[]): Promise<unknown> {
  const outDir = join(directory, `tsc${flags.join('')}`)
  const tsconfig = {
    extends: join(sample, 'tsconfig.json'),
    compilerOptions: {
      rootDir: join(sample, 'src'),
      outDir,
      composite: false,
      incremental: false,
      declaration: false,
      declarationMap: false,
      tsBuildInfoFile: null,
    },
    include: [],
    exclude: [],
    references: [],
    files: [source],
  }
  const config = join(directory, `tsconfig${flags.join('')}.json`)
  await writeFile(config, JSON.stringify(tsconfig))
  await run(join(sample, '../../node_modules/.bin/tsc'), ['--project', config, ...flags])
  return probed(join(outDir, 'decorators.probe.test-support.js'))
}

async function byEsbuild(): Promise<unknown> {
  const outfile = join(directory, 'esbuild.js')
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    tsconfig: join(sample, 'tsconfig.json'),
  })
  return probed(outfile)
}

test('tsc, esbuild and vitest make the same of the decorators', async () => {
  const here = JSON.parse(JSON.stringify(await probe()))
  expect(here).toMatchObject({ emitsMetadata: true, nested: true, row: { status: 'cancelled', total: 900 } })
  expect(here.violations[0]).not.toEqual([])

  const withoutMetadata = { ...here, emitsMetadata: false }
  expect(await byTsc('--emitDecoratorMetadata')).toEqual(here)
  expect(await byTsc()).toEqual(withoutMetadata)
  expect(await byEsbuild()).toEqual(withoutMetadata)
})
