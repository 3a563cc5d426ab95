import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const packageRoot = new URL('../..', import.meta.url).pathname

test('a handler that does not fit its decorator is refused by the compiler, in a sentence', async () => {
  const directory = await mkdtemp(join(packageRoot, 'dist', 'signature-'))
  const file = join(directory, 'wrong.ts')
  await writeFile(
    file,
    `import { CommandHandler } from '${packageRoot}src/decorators/aggregate-decorators.js'
class Open { readonly owner!: string }
class Close { readonly reason!: string }
export class Wrong { @CommandHandler(Open) open(_command: Close) {} }
`,
  )
  const tsc = join(packageRoot, '..', '..', 'node_modules', '.bin', 'tsc')
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--experimentalDecorators',
    '--skipLibCheck',
    '--target',
    'es2022',
  ]
  const output = await promisify(execFile)(tsc, [...flags, '--module', 'nodenext', '--types', 'node', file], {
    cwd: packageRoot,
  }).then(
    () => '',
    (error) => String(error.stdout),
  )
  await rm(directory, { recursive: true })
  expect(output.replaceAll(/\s+/g, ' ')).toContain(
    'A @CommandHandler(C) method takes (command: C, context: CommandContext): its parameters do not fit the class named in the decorator.',
  )
})
