// `pnpm narrative projection list | rebuild <name>`: looks after the views of a service that keeps them in Postgres.
import { parseArgs } from 'node:util'
import { stderrLogger } from '@narrative/core'
import type { Projections } from '@narrative/projections'
import { openViews } from './application.js'
import { sentenceOf } from './sentence-of.js'
import { readSettings } from './settings.js'
import { columns } from './terminal/columns.js'
import { number, ProgressBar } from './terminal/progress-bar.js'

const usage = `narrative projection list             the projections of this service
narrative projection rebuild <name>   build one again from offset 0; readers keep the old view until the new one is level

KAFKA_BROKERS and DATABASE_URL say where events and views are.`

/** @returns the exit code */
async function main(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: { help: { type: 'boolean' } },
  })
  const [topic, verb, name, ...rest] = positionals
  const known = topic === 'projection' && (verb === 'list' || verb === 'rebuild')
  if (values.help || !known || rest.length > 0 || (verb === 'rebuild') !== (name !== undefined)) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  const { backing } = readSettings(process.env)
  if (backing.kind === 'embedded') {
    console.error(
      'KAFKA_BROKERS and DATABASE_URL are not set. An embedded service keeps its views in its own memory, and builds them again at every start.',
    )
    return 2
  }
  const { app, views } = await openViews(backing, stderrLogger())
  try {
    if (name === undefined) {
      list(views)
      return 0
    }
    return await rebuild(views, name)
  } finally {
    await app.stop()
  }
}

function list({ definitions }: Projections): void {
  const rows = definitions.map(({ name, from, target }) => [
    name,
    from.map((source) => (source as { name: string }).name).join(', '),
    target.kind === 'table' ? `table ${target.table.name}` : target.kind,
  ])
  const headings = [{ heading: 'projection' }, { heading: 'follows' }, { heading: 'keeps' }]
  for (const line of columns(headings, rows)) console.log(line)
}

/** Ctrl-C gives up, and leaves the old view as it is. */
async function rebuild(views: Projections, name: string): Promise<number> {
  const cancel = new AbortController()
  process.once('SIGINT', () => cancel.abort())
  process.once('SIGTERM', () => cancel.abort())
  const bar = new ProgressBar()
  const began = performance.now()
  try {
    const { events } = await views.rebuild(name, { onProgress: bar.update, signal: cancel.signal })
    bar.finish()
    const seconds = (performance.now() - began) / 1000
    console.log(`  ${name} was rebuilt from offset 0: ${number(events)} events in ${seconds.toFixed(1)} s.`)
    return 0
  } catch (error) {
    bar.finish()
    if (!cancel.signal.aborted) throw error
    console.error(`  Given up. ${name} is as it was.`)
    return 130
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`narrative: ${sentenceOf(error)}`)
    process.exitCode = 1
  },
)
