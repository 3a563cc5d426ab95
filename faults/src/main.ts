// `pnpm faults`: the proof, by hand and in CI. What it takes stands in usage.ts.
import { model, planted, replay } from './model/model-command.js'
import { runSuite } from './suite/run-suite.js'
import { runTakeovers } from './takeover/run-takeovers.js'
import { type Asked, readArguments, usage } from './usage.js'

process.exitCode = await run(process.argv.slice(2))

async function run(args: readonly string[]): Promise<number> {
  let asked: Asked
  try {
    asked = readArguments(args)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
  if (asked.what === 'help') {
    console.log(usage)
    return 0
  }
  return (await prove(asked)) ? 0 : 1
}

function prove(asked: Exclude<Asked, { what: 'help' }>): Promise<boolean> {
  switch (asked.what) {
    case 'suite':
      return runSuite(asked.milliseconds, asked.seed ?? 1 + Math.floor(Math.random() * 1e6))
    case 'takeovers':
      return runTakeovers(asked.kinds, asked.times, asked.seed)
    case 'planted':
      return planted(asked.histories ?? 2_000)
    case 'model':
      if (asked.seed !== undefined && asked.histories === undefined) return replay(asked.seed)
      return model(asked.seed ?? 1, asked.histories ?? 2_000)
  }
}
