// Rows as aligned columns.
import { bold, dim } from './paint.js'

/** One column: its heading, and where its text stands. */
export interface Column {
  readonly heading: string
  readonly align?: 'left' | 'right'
}

/** @param cells a row each, as plain text: colour would count as width */
export function columns(headings: readonly Column[], cells: readonly (readonly string[])[]): string[] {
  const widths = headings.map(({ heading }, i) => Math.max(heading.length, ...cells.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => (headings[i]!.align === 'right' ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [
    bold(line(headings.map(({ heading }) => heading))),
    dim(widths.map((width) => '─'.repeat(width)).join('──')),
    ...cells.map(line),
  ]
}
