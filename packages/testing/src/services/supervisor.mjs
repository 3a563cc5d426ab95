// Keeps one service on behalf of the process that started it, and cleans up whatever becomes of that process.
//
// Its standard input is a pipe held by the owner. However the owner ends (normally, by Ctrl-C, by an uncaught exception, by
// SIGKILL) the kernel closes that pipe; then the service is stopped by its own id and its directory is removed.
// No handler in the owner is needed, and none could survive SIGKILL.
//
// Plain JavaScript on purpose: it runs as a process of its own, both from the sources (vitest) and from the package.
// Commands come in and events go out as one line of JSON each; see supervised-process.ts for the other side.
// @ts-check
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** How long a service may take to end before it is killed, milliseconds. */
const patience = 5_000

/** @type {{ prefix: string, stopSignal: NodeJS.Signals, user?: { uid: number, gid: number } }} */
const settings = JSON.parse(process.argv[2] ?? '{}')

/** @type {import('node:child_process').ChildProcess | undefined} */
let service
let ending = false

// The terminal's signals reach the owner, whose end is then noticed here.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})
process.on('SIGTERM', end)
// The owner may be gone while an event is written to it.
process.stdout.on('error', () => {})

const directory = mkdtempSync(settings.prefix)
const output = openSync(join(directory, 'output.log'), 'a')
if (settings.user) {
  chownSync(directory, settings.user.uid, settings.user.gid)
  chmodSync(directory, 0o700)
}

const commands = createInterface({ input: process.stdin })
commands.on('line', (line) => {
  const command = JSON.parse(line)
  if (command.run && !ending) run(command.run)
  if (command.signal) service?.kill(command.signal)
})
commands.on('close', end)
report({ directory })

/** @param {{ command: string, args: string[], env: Record<string, string> }} program */
function run(program) {
  const started = spawn(program.command, program.args, {
    cwd: directory,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', output, output],
    ...settings.user,
  })
  service = started
  started.on('spawn', () => report({ pid: started.pid }))
  started.on('error', (error) => finished({ error: error.message }))
  started.on('exit', (code, signal) => finished({ exit: { code, signal } }))

  /** @param {object} event */
  function finished(event) {
    if (service !== started) return
    service = undefined
    report(event)
    if (ending) leave()
  }
}

function end() {
  if (ending) return
  ending = true
  if (!service) return leave()
  service.kill(settings.stopSignal)
  setTimeout(() => service?.kill('SIGKILL'), patience).unref()
}

function leave() {
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  process.exit(0)
}

/** @param {object} event */
function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
