// Conditions on columns: which rows of a table an event concerns when nobody can name their keys.
import { columnTypes } from './column-type.js'
import { type Row, RowRefused, toValue } from './row.js'
import type { Column, Table } from './table.js'

/** What {@link where} returns. */
export class RowsWhere<W extends object = object> {
  constructor(readonly columns: W) {}
}

/**
 * All rows that have these values, for the `rows` of a handler. The columns are those of a declared index, or the first ones of it or
 * of the key.
 *
 * @example
 * ```ts
 * @EventHandler(CustomerRenamed, (_event, { aggregateId }) => ({ orders: where({ customerId: aggregateId }) }))
 * ```
 */
export function where<const W extends object>(columns: W): RowsWhere<W> {
  return new RowsWhere(columns)
}

/** A condition, checked against its table. */
export interface Condition {
  readonly table: Table
  readonly columns: readonly Column[]
  readonly values: readonly unknown[]
  /** What it is called among dead letters: `orders where {"customerId":"ada"}`. */
  readonly text: string
}

/** @throws RowRefused */
export function toCondition(table: Table, given: object): Condition {
  const asked = Object.entries(given).filter(([, value]) => value !== undefined)
  const columns = columnsOf(
    table,
    asked.map(([property]) => property),
  )
  const values = columns.map((column) => {
    const value = toValue(table, column, (given as Record<string, unknown>)[column.property])
    if (value === null) throw new RowRefused(`it asks for rows of table ${table.name} where ${column.property} is null`)
    return value
  })
  return { table, columns, values, text: textOf(table, columns, values) }
}

/** The condition that is called so, and undefined when it is the name of something else. */
export function readCondition(tables: readonly Table[], text: string): Condition | undefined {
  const [, name, columns] = /^([a-z0-9_]+) where (\{.*\})$/.exec(text) ?? []
  const table = tables.find((each) => each.name === name)
  return table && toCondition(table, JSON.parse(columns!) as object)
}

/** Conditions that are asked for together. */
export class Conditions {
  /** By table and columns: what can be found in one statement. */
  private readonly shapes = new Map<string, Shape>()

  constructor(conditions: Iterable<Condition> = []) {
    for (const condition of conditions) this.add(condition)
  }

  get empty(): boolean {
    return this.shapes.size === 0
  }

  add(condition: Condition): void {
    const { table, columns, values } = condition
    const name = `${table.name} ${columns.map((column) => column.name).join()}`
    const shape = this.shapes.get(name) ?? { table, columns, conditions: new Map<unknown, Condition>() }
    shape.conditions.set(together(values), condition)
    this.shapes.set(name, shape)
  }

  /** The texts of those that a row meets. */
  met(table: Table, row: Row): string[] {
    const met: string[] = []
    for (const shape of this.shapes.values()) {
      if (shape.table !== table) continue
      const condition = shape.conditions.get(valuesIn(row, shape.columns))
      if (condition !== undefined) met.push(condition.text)
    }
    return met
  }

  /** One look for each shape. */
  get lookups(): readonly Lookup[] {
    return [...this.shapes.values()].map(({ table, columns, conditions }) => ({
      ...{ table, columns, values: [...conditions.values()].map(({ values }) => values) },
    }))
  }
}

/** Rows to be found by the values of some columns: those of the key, or of a condition. */
export interface Lookup {
  readonly table: Table
  readonly columns: readonly Column[]
  /** For each row, or each condition, one value per column. */
  readonly values: readonly (readonly unknown[])[]
}

interface Shape {
  readonly table: Table
  readonly columns: readonly Column[]
  /** By their values. */
  readonly conditions: Map<unknown, Condition>
}

/** Nearly always a condition has one column, and its value is as good a key of a Map as any text. */
function together(values: readonly unknown[]): unknown {
  return values.length === 1 ? values[0] : JSON.stringify(values)
}

function valuesIn(row: Row, columns: readonly Column[]): unknown {
  const [only] = columns
  return columns.length === 1 ? row[only!.property] : together(columns.map(({ property }) => row[property]))
}

function textOf(table: Table, columns: readonly Column[], values: readonly unknown[]): string {
  return `${table.name} where ${JSON.stringify(Object.fromEntries(columns.map(({ property }, i) => [property, values[i]])))}`
}

/** In the order of the index: so that a condition is called the same however it was written. */
function columnsOf(table: Table, properties: readonly string[]): readonly Column[] {
  const wanted = new Set(properties)
  for (const index of [table.key, ...table.indexes]) {
    const first = index.slice(0, wanted.size)
    if (wanted.size > 0 && first.length === wanted.size && first.every(({ property }) => wanted.has(property))) {
      const strange = first.find(({ type }) => !columnTypes[type].keyable)
      if (strange === undefined) return first
      throw new RowRefused(
        `it asks for rows of table ${table.name} by ${strange.property}, which is ${strange.type}; a condition is on uuid, text, integer, bigint, date or boolean`,
      )
    }
  }
  const list = properties.map((property) => `'${property}'`).join(', ')
  throw new RowRefused(
    properties.length === 0
      ? `it asks for rows of table ${table.name} where nothing is said: name a column, as in where({ ${table.key[0]?.property}: … })`
      : `it asks for rows of table ${table.name} by ${properties.join(' and ')}, for which it has no index: declare indexes: [${properties.length === 1 ? list : `[${list}]`}]`,
  )
}
