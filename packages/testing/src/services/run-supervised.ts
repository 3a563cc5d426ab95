// The two ways to run a program of a service: to its end, or until it serves.
import type { Program, ProgramEnd, RunningProgram, SupervisedProcess } from './supervised-process.js'
import { waitUntil } from './wait-until.js'

const startTimeout = 60_000

/** Runs a program to its end; throws its last words unless that was a good one. */
export async function complete(service: SupervisedProcess, program: Program): Promise<void> {
  const { ended } = await service.run(program)
  const end = await ended
  if (end.code !== 0) throw new Error(lastWords(service, program, describe(end)))
}

/** Runs a program until it answers; throws its last words when it ends before that, or does not answer in a minute. */
export async function serve(
  service: SupervisedProcess,
  program: Program,
  answers: () => Promise<boolean>,
): Promise<RunningProgram> {
  const running = await service.run(program)
  const over = new AbortController()
  let end: ProgramEnd | undefined
  void running.ended.then((how) => {
    end = how
    over.abort()
  })
  if (await waitUntil(answers, startTimeout, over.signal)) return running
  throw new Error(lastWords(service, program, end ? describe(end) : `did not answer within ${startTimeout / 1000} s`))
}

/**
 * Starts services on free ports, again on others when another process was quicker to bind one of them:
 * the only failure that new ports can cure.
 */
export async function onFreePorts<T>(services: readonly SupervisedProcess[], start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      // Neither program has a better sign of it than what it writes.
      const taken = services.some((service) => service.outputTail(200).includes('Address already in use'))
      if (attempt === 5 || !taken) throw error
    }
  }
}

const lastWords = (service: SupervisedProcess, { command }: Program, how: string) =>
  `${command} ${how}; its last words:\n${service.outputTail()}`

const describe = ({ code, signal }: ProgramEnd) => (signal ? `ended by ${signal}` : `ended with exit code ${code}`)
