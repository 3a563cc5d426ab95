// Which events are parked, so that later ones of the same key wait behind them.
//
// The order that is kept is that of a key within a partition: between partitions the log has none. So whoever follows a
// partition knows all that can hold up its events.
import type { Position, RecordedEvent } from '@narrative/core'
import type { Place } from '../runtime/work-share.js'
import type { AskedLetter, LetterPlace } from './dead-letter.js'

export class ParkedEvents {
  /** By partition and key: offsets, ascending. */
  private readonly lanes = new Map<string, number[]>()
  private parked = 0

  constructor(places: readonly LetterPlace[] = []) {
    for (const place of places) this.add(place)
  }

  get size(): number {
    return this.parked
  }

  add(place: LetterPlace): void {
    const lane = laneOf(place, place.key)
    const offsets = this.lanes.get(lane)
    this.parked++
    if (offsets === undefined) {
      this.lanes.set(lane, [place.offset])
      return
    }
    offsets.push(place.offset)
    // Almost always the newest; an event that failed again comes back to its old place.
    if (offsets.at(-2)! > place.offset) offsets.sort((a, b) => a - b)
  }

  remove(place: LetterPlace): void {
    const lane = laneOf(place, place.key)
    const offsets = this.lanes.get(lane)
    const index = offsets?.indexOf(place.offset) ?? -1
    if (offsets === undefined || index < 0) return
    offsets.splice(index, 1)
    if (offsets.length === 0) this.lanes.delete(lane)
    this.parked--
  }

  /**
   * Whether an earlier event of this key is parked, or one of the same stream whose key could not be told: it may have been the same.
   */
  holds({ position, streamId }: RecordedEvent, key: string): boolean {
    if (this.parked === 0) return false
    return this.startsBefore(position, key) || (key !== streamId && this.startsBefore(position, streamId))
  }

  /** Whether the event at this position is parked, for any key. */
  has(position: Position): boolean {
    if (this.parked === 0) return false
    const prefix = laneOf(position, '')
    for (const [lane, offsets] of this.lanes)
      if (lane.startsWith(prefix) && offsets.includes(position.offset)) return true
    return false
  }

  /** The keys of a partition that have parked events, and the offset of the first one. */
  keysOf(partition: Place): readonly (readonly [key: string, offset: number])[] {
    const prefix = laneOf(partition, '')
    return [...this.lanes].flatMap(([lane, [first]]) =>
      lane.startsWith(prefix) ? [[lane.slice(prefix.length), first!] as const] : [],
    )
  }

  /**
   * The same letters, and those of the same events that are parked for other keys: what is asked of one of them is asked of an event
   * that is applied as a whole. To forget it goes before to apply it.
   */
  withTheirSiblings(asked: readonly AskedLetter[]): readonly AskedLetter[] {
    const events = new Map<string, AskedLetter>()
    for (const one of asked) {
      const at = laneOf(one.letter, String(one.letter.offset))
      if (one.wish === 'skip' || !events.has(at)) events.set(at, one)
    }
    const known = new Map(asked.map(({ letter }) => [laneOf(letter, `${letter.offset}/${letter.key}`), letter]))
    return [...events.values()].flatMap(({ letter, wish }) => {
      const prefix = laneOf(letter, '')
      return [...this.lanes].flatMap(([lane, offsets]) => {
        if (!lane.startsWith(prefix) || !offsets.includes(letter.offset)) return []
        const key = lane.slice(prefix.length)
        return { letter: known.get(laneOf(letter, `${letter.offset}/${key}`)) ?? { ...letter, key }, wish }
      })
    })
  }

  private startsBefore(position: Position, key: string): boolean {
    const offsets = this.lanes.get(laneOf(position, key))
    return offsets !== undefined && offsets[0]! < position.offset
  }
}

function laneOf({ topic, partition }: Place, key: string): string {
  return `${topic}/${partition}/${key}`
}
