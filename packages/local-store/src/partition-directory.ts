// The directory of a partition: what is in it, whose it is, and which of it can be believed when it is opened.
//
//   partition.json   what this is: format, topic, partition
//   events           frames, appended (record-codec.ts)
//   index/           lmdb; derived from `events` (stream-index.ts)
//   index-state      how the index was left (index-state.ts)
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { directoryInvalid } from './disk-error.js'
import { IndexState } from './index-state.js'
import { RecordFile } from './record-file.js'
import { StreamIndex } from './stream-index.js'
import { syncFile, writeSynced } from './synced-files.js'

/** What the directory should be of. */
export interface PartitionPlace {
  readonly directory: string
  readonly topic: string
  readonly partition: number
  readonly logger: Logger
}

const format = 2

export class PartitionDirectory {
  readonly file: RecordFile
  readonly index: StreamIndex
  readonly #state: IndexState

  /**
   * Opens or creates it; an index in doubt is empty.
   * @throws NarrativeError `DIRECTORY_INVALID`; and what the file system says
   */
  static open(place: PartitionPlace): PartitionDirectory {
    const { directory } = place
    mkdirSync(directory, { recursive: true })
    checkIdentity(place)
    const file = new RecordFile(join(directory, 'events'))
    try {
      const state = new IndexState(directory)
      const index = openIndex(place, state)
      if (process.platform !== 'win32') syncFile(directory) // the names of the files, for a power failure
      return new PartitionDirectory(file, index, state)
    } catch (error) {
      file.close()
      throw error
    }
  }

  private constructor(file: RecordFile, index: StreamIndex, state: IndexState) {
    this.file = file
    this.index = index
    this.#state = state
  }

  /** @param whole whether the index may be believed at the next opening without another thought */
  async close(whole: boolean): Promise<void> {
    await this.index.close()
    if (whole) this.file.sync()
    this.file.close()
    if (whole) this.#state.closed()
  }
}

function openIndex({ directory, logger }: PartitionPlace, state: IndexState): StreamIndex {
  const path = join(directory, 'index')
  const doubt = state.doubt() ?? StreamIndex.doubt(path)
  if (doubt !== undefined) {
    if (doubt !== '') logger.warn({ directory }, `${directory}: its index is made anew, because ${doubt}`)
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path)
  }
  state.opened()
  rmSync(join(path, 'lock.mdb'), { force: true }) // of a process that is gone: this one alone has the directory
  return new StreamIndex(path)
}

function checkIdentity({ directory, topic, partition }: PartitionPlace): void {
  const path = join(directory, 'partition.json')
  const own = { format, topic, partition }
  if (!existsSync(path)) {
    if (existsSync(join(directory, 'events'))) throw directoryInvalid(directory, 'it lacks its partition.json')
    writeSynced(path, `${JSON.stringify(own)}\n`)
    return
  }
  const found = JSON.parse(readFileSync(path, 'utf8'))
  if (found.format !== format) {
    throw directoryInvalid(directory, `it is of format ${found.format}, and this version reads format ${format}`)
  }
  if (found.topic !== topic || found.partition !== partition) {
    throw directoryInvalid(directory, `it holds ${found.topic}/${found.partition}, not ${topic}/${partition}`)
  }
}
