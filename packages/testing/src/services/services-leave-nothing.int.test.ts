import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { waitUntil } from './wait-until.js'

const source = (name: string) => JSON.stringify(join(import.meta.dirname, `${name}.ts`))

test.each<NodeJS.Signals>(['SIGINT', 'SIGKILL'])(
  'a process that started both and ends by %s leaves nothing',
  async (signal) => {
    // A temporary directory of its own: whatever is left in it, or runs with it in its arguments, was left behind.
    const temporary = mkdtempSync(join(tmpdir(), 'narrative-leaves-'))
    chmodSync(temporary, 0o755)
    const program = `
    import { startKafka } from ${source('start-kafka')}
    import { startPostgres } from ${source('start-postgres')}
    await Promise.all([startKafka({}), startPostgres()])
    console.log('started')
    setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        TMPDIR: temporary,
        NARRATIVE_DATABASE_URL: '',
        DOCKER_HOST: 'unix:///nonexistent',
        TSX_TSCONFIG_PATH: join(import.meta.dirname, '../../../../tsconfig.test.json'),
      },
    })
    await new Promise((resolve) => createInterface({ input: owner.stdout }).once('line', resolve))
    const running = () =>
      execFileSync('ps', ['-eo', 'args'])
        .toString()
        .split('\n')
        .filter((line) => line.includes(temporary))
    const left = () => readdirSync(temporary).filter((name) => name.startsWith('narrative-'))
    expect(running().some((line) => line.includes('kafka.Kafka'))).toBe(true)
    expect(running().some((line) => line.includes('postgres'))).toBe(true)
    expect(left()).toHaveLength(2)

    owner.kill(signal)
    await waitUntil(() => running().length === 0 && left().length === 0, 15_000)
    expect(running()).toEqual([])
    expect(left()).toEqual([])
    rmSync(temporary, { recursive: true })
  },
)
