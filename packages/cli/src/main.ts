// The process: its signals, a reader that goes away, and its end.
import { loadConfig } from './configuration/load-config.js'
import { type ExitCode, exitCode } from './exit-code.js'
import { Refusal } from './refusal.js'
import { run } from './run.js'

const { stdout, stderr, argv } = process
const stopped = new AbortController()

/** What is open is closed in order; asked twice, it is not waited for. */
function stop(code: ExitCode): void {
  if (stopped.signal.aborted) process.exit(code)
  stopped.abort(new Refusal(code, 'Ended from outside.'))
}

process.on('SIGINT', () => stop(exitCode.interrupted))
process.on('SIGTERM', () => stop(exitCode.terminated))
// `narrative … | head`: nobody reads on, and so there is nobody to tell either.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!stopped.signal.aborted) stop(exitCode.readerGone)
  })
}
// Waiting for an event is work, although no socket may be open for it.
setInterval(() => {}, 2 ** 30)

const code = await run(argv.slice(2), { stdout, stderr, signal: stopped.signal, loadConfig })
// A user's configuration may hold the process open; what was written must get out first.
stdout.write('', () => stderr.write('', () => process.exit(code)))
