// The figures as a table that a person reads.
import type { Figure } from './figure.js'

/** A line per figure, columns aligned. */
export function summary(figures: readonly Figure[]): string[] {
  const rows = figures.map((figure) => [
    figure.pass === null ? ' ' : figure.pass ? '✓' : '✗',
    figure.name,
    `${number(figure.value)} ${figure.unit}`,
    figure.ratio === null ? '' : `× ${figure.ratio}`,
    figure.target === null ? '' : `(target ${figure.target})`,
    figure.referenceValue === null ? '' : `${number(figure.referenceValue)} ${figure.unit}: ${figure.reference}`,
  ])
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(cell.length, widest[at] ?? 0)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd(),
  )
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
