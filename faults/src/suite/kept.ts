// What a run that failed leaves to be looked at, beside the logs and replicas of its processes.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatHistory, type Operation } from '../checker/history.js'

/** Histories are longer than a string may be. */
const atATime = 10_000

export function keepHistory(directory: string, operations: readonly Operation[]): void {
  const file = join(directory, 'history.jsonl')
  writeFileSync(file, '')
  for (let at = 0; at < operations.length; at += atATime) {
    appendFileSync(file, formatHistory(operations.slice(at, at + atATime)))
  }
}

export function keepLines(directory: string, name: string, items: readonly object[]): void {
  const file = join(directory, name)
  writeFileSync(file, '')
  for (let at = 0; at < items.length; at += atATime) {
    appendFileSync(
      file,
      items
        .slice(at, at + atATime)
        .map((item) => `${JSON.stringify(item)}\n`)
        .join(''),
    )
  }
}
