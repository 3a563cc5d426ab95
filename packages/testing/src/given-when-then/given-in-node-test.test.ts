import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const fixtures = new URL('../../fixtures/', import.meta.url)

test('node:test fails what must fail, and shows the difference and the line', async () => {
  const output = await nodeTest(fileURLToPath(new URL('given-in-node-test.ts', fixtures)))
  expect(output).toMatch(/^ok \d+ - passes$/m)
  expect(output).toMatch(/^not ok \d+ - fails with a difference$/m)
  expect(output).toMatch(/^not ok \d+ - awaits a command without an expectation$/m)
  expect(output).toMatch(/^not ok \d+ - has a command without an expectation$/m)
  expect(output).toContain("code: 'ERR_ASSERTION'")
  expect(output).toMatch(/- +by: 3\n.*\+ +by: 2/)
  expect(output).toContain('given  counter.added { by: 1 }')
  expect(output).toMatch(/async TestContext\..*given-in-node-test\.ts:\d+/)
  expect(output.match(/This test expects nothing/g)!.length).toBeGreaterThanOrEqual(2)
})

/** What `node --test` prints of a file; it exits with 1, as some of its tests fail. */
function nodeTest(file: string): Promise<string> {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env
  const tsconfig = fileURLToPath(new URL('tsconfig.json', fixtures))
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', '--test', '--test-reporter=tap', file],
      { cwd: fileURLToPath(fixtures), env: { ...env, TSX_TSCONFIG_PATH: tsconfig }, timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error?.code === 1) resolve(stdout)
        else reject(new Error(`node --test exited with ${error?.code ?? 0}:\n${stdout}\n${stderr}`))
      },
    )
  })
}
