// Rows as aligned columns.
import type { Paint } from './paint.js'

/** One column of a table of `Row`s. */
export interface Column<Row> {
  readonly heading: string
  readonly text: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** Applied after alignment: colour has no width. */
  readonly paint?: (text: string, row: Row) => string
}

/** How the table is to look. */
export interface TableLook {
  readonly heading: Paint
  /** Of the terminal, when there is one: the last column ends there. */
  readonly width: number | undefined
}

/** Lines of a table: the headings, and one per row. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: TableLook): string[] {
  const cells = rows.map((row) => columns.map(({ text }) => text(row)))
  const widths = columns.map(({ heading }, i) =>
    cells.reduce((widest, row) => Math.max(widest, row[i]!.length), heading.length),
  )
  const last = columns.length - 1
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + gap.length, 0)
  const room = look.width === undefined ? Number.POSITIVE_INFINITY : Math.max(look.width - before, leastRoom)
  const aligned = (text: string, i: number): string => {
    if (columns[i]!.align === 'right') return text.padStart(widths[i]!)
    return i === last ? shortened(text, room) : text.padEnd(widths[i]!)
  }
  const line = (row: readonly string[], paint: (text: string, i: number) => string) =>
    row.map((text, i) => paint(aligned(text, i), i)).join(gap)
  return [
    line(
      columns.map(({ heading }) => heading),
      look.heading,
    ).trimEnd(),
    ...cells.map((row, at) => line(row, (text, i) => columns[i]!.paint?.(text, rows[at]!) ?? text).trimEnd()),
  ]
}

const gap = '  '
/** Below this a last column would say nothing: then let the terminal wrap it. */
const leastRoom = 20

function shortened(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`
}
