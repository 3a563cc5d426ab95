// Where a command says things: tables and sentences for a person, one JSON object per line for a program.
import { once } from 'node:events'
import { type Column, tableLines } from './columns.js'
import { type Palette, paletteOf } from './paint.js'

/** The two streams of a process. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** Writes results to standard output, and everything else to standard error: a pipe gets nothing but results. */
export class Output {
  readonly paint: Palette
  readonly #streams: Streams
  #transient = false

  constructor(
    streams: Streams,
    readonly json: boolean,
  ) {
    this.#streams = streams
    this.paint = paletteOf(streams.stdout)
  }

  /** Rows as a table, or each as a JSON object. */
  async table<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<void> {
    if (this.json) {
      for (const row of rows) await this.#result(JSON.stringify(row))
      return
    }
    const { isTTY, columns: width } = this.#streams.stdout
    const look = { heading: this.paint.bold, width: isTTY ? width : undefined }
    for (const line of tableLines(columns, rows, look)) await this.#result(line)
  }

  /** One result: an object for a program, a text for a person. */
  async result(record: object, text: string): Promise<void> {
    await this.#result(this.json ? JSON.stringify(record) : text)
  }

  /** A remark for a person; programs do not see it. */
  note(text: string): void {
    if (!this.json) this.#aside(`${text}\n`)
  }

  /** A warning, for whoever reads standard error. */
  warn(text: string): void {
    this.#aside(`${paletteOf(this.#streams.stderr).yellow('narrative:')} ${text}\n`)
  }

  /** A line that the next one takes the place of; nothing where there is no terminal to do so. */
  progress(text: string): void {
    const { stderr } = this.#streams
    if (!stderr.isTTY || this.json) return
    stderr.write(`\r${text.slice(0, (stderr.columns || 80) - 1)}\u001b[K`)
    this.#transient = true
  }

  /** Takes the line of progress away. */
  clear(): void {
    if (this.#transient) this.#streams.stderr.write('\r\u001b[K')
    this.#transient = false
  }

  #aside(text: string): void {
    this.clear()
    this.#streams.stderr.write(text)
  }

  /** Waits while the reader is slower than we are: results may be millions. */
  async #result(line: string): Promise<void> {
    this.clear()
    const { stdout } = this.#streams
    if (stdout.errored) throw stdout.errored // nobody reads on
    if (!stdout.write(`${line}\n`)) await once(stdout, 'drain')
  }
}
