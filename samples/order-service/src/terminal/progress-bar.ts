// A rebuild as a bar: it moves on a terminal, and is one line anywhere else.
import type { RebuildProgress } from '@narrative/projections'
import { cyan, dim } from './paint.js'

const width = 28

/** Draws the progress of a rebuild; call `finish` when there is no more. */
export class ProgressBar {
  private latest: RebuildProgress | undefined

  constructor(private readonly output: NodeJS.WriteStream = process.stdout) {}

  update = (progress: RebuildProgress): void => {
    this.latest = progress
    if (this.output.isTTY) this.output.write(`\r${lineOf(progress)}\u001b[K`)
  }

  finish(): void {
    if (this.latest === undefined) return
    this.output.write(this.output.isTTY ? '\n' : `${lineOf(this.latest)}\n`)
    this.latest = undefined
  }
}

function lineOf({ projection, events, total, eventsPerSecond, secondsLeft }: RebuildProgress): string {
  const share = total === 0 ? 1 : events / total
  const filled = Math.round(share * width)
  const bar = cyan('█'.repeat(filled)) + dim('░'.repeat(width - filled))
  const left = secondsLeft === undefined || events >= total ? '' : `  ${secondsLeft.toFixed(0)} s left`
  const rate = `${number(eventsPerSecond)} events/s${left}`
  return `  ${projection}  ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${number(events)} of ${number(total)}  ${dim(rate)}`
}

export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
