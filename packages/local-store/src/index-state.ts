// Whether an index that is found may be believed, by the way it was left.
//
// lmdb is not told to sync: that would cost more than the index is worth. What it committed is with the operating system
// in order, so the index outlives its process, kill -9 included; but after the end of the machine anything may be there.
// A word in a file says how far it can be believed:
//
//   closed       it was synced and closed
//   open <boot>  in use since this boot of the machine; found at an opening: its process was killed
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncFile, writeSynced } from './synced-files.js'

export class IndexState {
  readonly #directory: string
  readonly #path: string

  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, 'index-state')
  }

  /** Undefined when it is worth a look, otherwise why not. Empty when there is none. */
  doubt(): string | undefined {
    if (!existsSync(join(this.#directory, 'index', 'data.mdb'))) return ''
    const state = this.#read()
    if (state === 'closed' || (bootId !== undefined && state === `open ${bootId}`)) return undefined
    return state.startsWith('open') ? 'the machine was started anew since it was written' : 'nobody says what it is'
  }

  /** Before anything is written to it. */
  opened(): void {
    const text = `open ${bootId ?? 'unknown'}`
    // Were this lost with the machine, `closed` would be found, and an index in the middle of its changes believed.
    if (this.#read() === 'closed') writeSynced(this.#path, text)
    else writeFileSync(this.#path, text)
  }

  /** After lmdb has closed it. */
  closed(): void {
    syncFile(join(this.#directory, 'index', 'data.mdb'))
    writeFileSync(this.#path, 'closed')
  }

  #read(): string {
    return existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
  }
}

/** Where there is none (it is Linux that has it), an index is believed only after an orderly end. */
const bootId = readBootId()

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined // not Linux, or /proc is not there: then an index is made anew after a kill
  }
}
