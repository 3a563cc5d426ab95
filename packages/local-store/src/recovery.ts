// What the index has not seen is read from the file when a partition is opened: usually the last moments, after a
// damage of the index everything.
import type { Logger } from '@narrative/core'
import { logCorrupt } from './disk-error.js'
import type { PartitionDirectory } from './partition-directory.js'
import { decodeRecord, type Frame, type PlacedRecord, placeRecord } from './record-codec.js'
import type { IndexReach, Milestone } from './stream-index.js'

/** Records that go into the index at once. Nobody asks for them yet, so they are only places, and can be many. */
const batch = 250_000
const milestoneEvery = 64 * 1024

/**
 * Brings the index up to the end of the file. A frame cut short at the very end is dropped: nobody was told of it.
 * @returns what the file reaches to
 * @throws NarrativeError `LOG_CORRUPT` when anything before the end is damaged
 */
export async function recover(
  { file, index }: PartitionDirectory,
  directory: string,
  logger: Logger,
): Promise<IndexReach> {
  let reach = index.reach ?? { offset: 0, claim: null, place: 0, lastTime: 0, newest: null }
  if (reach.place > file.end) {
    throw logCorrupt(directory, `the file of events ends at byte ${file.end}, and ${reach.place} were written`)
  }
  const total = file.end
  let streams = new Map<string, PlacedRecord[]>()
  let milestones: Milestone[] = []
  let count = 0
  let reported = performance.now()
  const toIndex = async () => {
    await index.add(streams, milestones, reach)
    streams = new Map()
    milestones = []
    count = 0
    if (performance.now() - reported < 2_000) return
    reported = performance.now()
    logger.info({ directory }, `${directory}: read ${Math.round((reach.place / total) * 100)} % of its events`)
  }

  const frames = file.frames(reach.place)
  let next = frames.next()
  for (; !next.done; next = frames.next()) {
    const { place } = next.value
    if (place - (milestones.at(-1)?.place ?? Number.NEGATIVE_INFINITY) >= milestoneEvery) {
      milestones.push({ offset: reach.offset, place })
    }
    for (const record of recordsOf(next.value)) {
      const records = streams.get(record.streamId)
      if (records === undefined) streams.set(record.streamId, [record])
      else records.push(record)
      count++
    }
    reach = reachAfter(next.value, reach)
    if (count >= batch) await toIndex()
  }
  if (count > 0) await toIndex()
  const { tail, place } = next.value
  if (tail === 'corrupt') throw logCorrupt(directory, `the frame at byte ${place} is damaged`)
  if (tail === 'torn') {
    const dropped = total - place
    logger.warn(
      { directory, place },
      `${directory}: a write was cut short; ${dropped} bytes that nobody was told of are dropped`,
    )
    file.cut(place)
  }
  return reach
}

function* recordsOf({ records, recordsAt }: Frame): Generator<PlacedRecord, void> {
  let at = recordsAt
  for (const bytes of records) {
    yield placeRecord(bytes, at)
    at += bytes.length
  }
}

function reachAfter({ place, length, point, records }: Frame, before: IndexReach): IndexReach {
  const last = records.at(-1)
  const event = last && decodeRecord(last, '', 0)
  return {
    ...point,
    place: place + length,
    lastTime: event?.time ?? before.lastTime,
    newest: event === undefined ? before.newest : { offset: event.position.offset, id: event.id },
  }
}
