// `narrative dead-letters show <projection> <position>`: one dead letter, with everything that is known of it.
import { type Position, parsePosition } from '@narrative/core'
import type { Command } from 'commander'
import { keptProjection } from '../kept-projection.js'
import { notFound } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { type DeadLetterRecord, deadLetterRecord, viewOf, whyParked } from '../terminal/dead-letter-record.js'
import type { Output } from '../terminal/output.js'
import { examples } from './examples.js'

export function describeDeadLettersShow(deadLetters: Command, surroundings: Surroundings): void {
  const command = deadLetters
    .command('show')
    .summary('one of them, with its event and its error')
    .description('Shows what is parked at a position: the event as it is in the log, the error, the handler.')
    .argument('<projection>', 'its name')
    .argument('<position>', 'as the list shows it')
    .addHelpText(
      'after',
      examples(['narrative dead-letters show orders-view shop.order.events/0@42', 'why this one is parked']),
    )
  onProject(command, surroundings, async ({ project, output }, [asked = '', token = '']) => {
    const { name } = keptProjection(project, asked)
    const position: Position = parsePosition(token)
    const letters = await project.views.deadLetters(name).list({ position })
    if (letters.length === 0) throw notFound(`${name} has no dead letter at ${token}.`)
    for (const letter of letters) {
      const record = deadLetterRecord(name, letter)
      await output.result(record, letterText(record, output))
    }
  })
}

function letterText(record: DeadLetterRecord, { paint }: Output): string {
  const { event, failure } = record
  const facts = {
    view: viewOf(record),
    key: record.key,
    event: `${event.type}, schema version ${event.schemaVersion}, of ${event.time}`,
    stream: `${event.streamId} at version ${event.version}`,
    parked: `${record.parkedAt}, tried ${record.attempts} times`,
    handler: failure?.handler ?? 'was not called',
    why: [failure?.code, failure?.message ?? whyParked(record)].filter(Boolean).join(' '),
    data: JSON.stringify(event.data, undefined, 2).replaceAll('\n', '\n          '),
    metadata: JSON.stringify(event.metadata),
  }
  const lines = Object.entries(facts).map(([name, text]) => `${paint.dim(name.padEnd(8))}  ${text}`)
  return [paint.bold(`${record.projection}  ${record.position}`), ...lines].join('\n')
}
