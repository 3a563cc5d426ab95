// Starts instances of replica-instance.ts, hears what they say, and ends them with -9.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { InstanceOptions, InstanceReport } from './replica-instance.js'

const module = fileURLToPath(new URL('./replica-instance.js', import.meta.url))

export class InstanceProcess {
  readonly #child: ChildProcess

  constructor(options: InstanceOptions, nodeOptions: readonly string[] = []) {
    this.#child = fork(module, [JSON.stringify(options)], { execArgv: [...nodeOptions] })
  }

  /** The next report. @throws when it ends instead */
  async report(): Promise<InstanceReport> {
    const ended = new AbortController()
    try {
      const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
        throw new Error(`The instance ended (${code ?? signal}).`)
      })
      const [report] = await Promise.race([once(this.#child, 'message', { signal: ended.signal }), exit])
      return report as InstanceReport
    } finally {
      ended.abort()
    }
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
