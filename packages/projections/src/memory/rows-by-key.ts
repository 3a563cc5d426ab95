// The rows of one table in memory: by key, and by the columns somebody asked for.
import { keyOf, keyText, type Row } from '../table/row.js'
import type { Column, Table } from '../table/table.js'

type Index = Map<string, Set<string | number>>

export class RowsByKey {
  private readonly rows = new Map<string | number, Row>()
  /** Made when they are first needed. */
  private readonly indexes = new Map<string, { readonly columns: readonly Column[]; readonly index: Index }>()

  constructor(private readonly table: Table) {}

  get size(): number {
    return this.rows.size
  }

  get(key: readonly unknown[]): Row | undefined {
    return this.rows.get(keyText(key))
  }

  values(): Iterable<Row> {
    return this.rows.values()
  }

  set(key: readonly unknown[], row: Row | undefined): void {
    const text = keyText(key)
    if (this.indexes.size > 0) this.moveInIndexes(text, this.rows.get(text), row)
    if (row === undefined) this.rows.delete(text)
    else this.rows.set(text, row)
  }

  /** The rows that have these values. */
  find(columns: readonly Column[], values: readonly unknown[]): readonly Row[] {
    const found = this.indexOf(columns).get(JSON.stringify(values)) ?? []
    return [...found].map((text) => this.rows.get(text)!)
  }

  private moveInIndexes(text: string | number, from: Row | undefined, to: Row | undefined): void {
    for (const { columns, index } of this.indexes.values()) {
      if (from !== undefined) remove(index, valuesOf(columns, from), text)
      if (to !== undefined) add(index, valuesOf(columns, to), text)
    }
  }

  private indexOf(columns: readonly Column[]): Index {
    const name = columns.map((column) => column.name).join()
    const known = this.indexes.get(name)
    if (known !== undefined) return known.index
    const index: Index = new Map()
    for (const row of this.rows.values()) add(index, valuesOf(columns, row), keyText(keyOf(this.table, row)))
    this.indexes.set(name, { columns, index })
    return index
  }
}

function valuesOf(columns: readonly Column[], row: Row): string {
  return JSON.stringify(columns.map(({ property }) => row[property]))
}

function remove(index: Index, values: string, text: string | number): void {
  const some = index.get(values)
  some?.delete(text)
  if (some?.size === 0) index.delete(values)
}

function add(index: Index, values: string, text: string | number): void {
  const some = index.get(values)
  if (some === undefined) index.set(values, new Set([text]))
  else some.add(text)
}
