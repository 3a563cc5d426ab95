import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { SupervisedProcess } from './supervised-process.js'
import { waitUntil } from './wait-until.js'

const prefix = join(tmpdir(), 'narrative-supervised-')
const forever = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] }

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    // No such process.
    return false
  }
}

test('closing stops the program and removes its directory', async () => {
  const service = await SupervisedProcess.open({ prefix, stopSignal: 'SIGTERM' })
  const { pid, ended } = await service.run(forever)
  expect(isAlive(pid)).toBe(true)
  await service.close()
  expect(await ended).toEqual({ code: null, signal: 'SIGTERM' })
  expect(isAlive(pid)).toBe(false)
  expect(existsSync(service.directory)).toBe(false)
})

test('a program that ignores its stop signal is killed', { timeout: 15_000 }, async () => {
  const service = await SupervisedProcess.open({ prefix, stopSignal: 'SIGTERM' })
  const deaf = "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)"
  const { ended } = await service.run({ command: process.execPath, args: ['-e', deaf] })
  expect(await waitUntil(() => service.outputTail().includes('deaf'), 5_000)).toBe(true)
  await service.close()
  expect((await ended).signal).toBe('SIGKILL')
})

test('a program that cannot be started is an error with its name', async () => {
  const service = await SupervisedProcess.open({ prefix, stopSignal: 'SIGTERM' })
  await expect(service.run({ command: 'no-such-program', args: [] })).rejects.toThrow('no-such-program')
  await service.close()
})

test('one program runs after another in the same directory', async () => {
  const service = await SupervisedProcess.open({ prefix, stopSignal: 'SIGTERM' })
  const write = "require('node:fs').writeFileSync('kept', ''); process.exit(3)"
  const first = await service.run({ command: process.execPath, args: ['-e', write] })
  expect(await first.ended).toEqual({ code: 3, signal: null })
  await service.run(forever)
  expect(existsSync(join(service.directory, 'kept'))).toBe(true)
  await service.close()
})

/** A process that starts a service, says where, and then lives for ever or does what `after` says. */
function owner(after: string) {
  const program = `
    import { SupervisedProcess } from ${JSON.stringify(join(import.meta.dirname, 'supervised-process.ts'))}
    const service = await SupervisedProcess.open(${JSON.stringify({ prefix, stopSignal: 'SIGTERM' })})
    const { pid } = await service.run(${JSON.stringify(forever)})
    console.log(JSON.stringify({ pid, directory: service.directory }))
    ${after}`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const started = new Promise<{ pid: number; directory: string }>((resolve) =>
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line))),
  )
  return { child, started }
}

const idle = 'setInterval(() => {}, 1000)'

test.each<[string, string, NodeJS.Signals | undefined]>([
  ['is interrupted (Ctrl-C)', idle, 'SIGINT'],
  ['is terminated', idle, 'SIGTERM'],
  ['is killed', idle, 'SIGKILL'],
  ['throws what nobody catches', "setTimeout(() => { throw new Error('nobody catches this') }, 50)", undefined],
  ['exits', 'process.exit(0)', undefined],
  ['has nothing left to do', 'service.keepAlive(false)', undefined],
])('nothing is left when the owner %s', async (_, after, signal) => {
  const { child, started } = owner(after)
  const { pid, directory } = await started
  if (signal) {
    expect(isAlive(pid)).toBe(true)
    child.kill(signal)
  }
  expect(await waitUntil(() => !isAlive(pid) && !existsSync(directory), 10_000)).toBe(true)
})
