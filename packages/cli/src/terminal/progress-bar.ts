// A rebuild as a bar in one line.
import type { RebuildProgress } from '@narrative/projections'
import { number } from './counted.js'

const width = 24

/** Without colour: the line is cut to the terminal, and an escape sequence must not be. */
export function progressBar({ projection, events, total, eventsPerSecond, secondsLeft }: RebuildProgress): string {
  const share = total === 0 ? 1 : events / total
  const filled = Math.round(share * width)
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
  const left = secondsLeft === undefined || events >= total ? '' : `  ${Math.ceil(secondsLeft)} s left`
  return `${projection}  ${bar} ${Math.floor(share * 100)} %  ${number(events)} of ${number(total)}  ${number(eventsPerSecond)} events/s${left}`
}
