// Dead letters in this process.
import {
  type AskedLetter,
  type DeadLetter,
  type DeadLetters,
  isChosen,
  type LetterPlace,
  type ListedLetter,
  type ListOptions,
  type Wish,
} from '../failures/dead-letter.js'
import { isSamePlace } from '../failures/redrive.js'
import type { LetterChanges } from '../runtime/table-storage.js'

/** In the order in which they were parked: within a partition that of the log. */
export class MemoryLetters implements DeadLetters {
  private letters: DeadLetter[] = []
  private readonly wishes = new Map<DeadLetter, Wish>()
  /** Whether the view is not read yet. */
  building = false

  constructor(private readonly generation = 1) {}

  get places(): readonly LetterPlace[] {
    return this.letters
  }

  change({ settled, parked }: LetterChanges): void {
    this.letters = this.letters.filter((letter) => !settled.some((place) => isSamePlace(place, letter)))
    // The bytes of an event are a window into what was fetched with it; these stay for long.
    for (const letter of parked) {
      this.letters.push({ ...letter, event: { ...letter.event, data: Uint8Array.from(letter.event.data) } })
    }
    this.letters.sort((a, b) =>
      a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition || a.offset - b.offset,
    )
    for (const letter of this.wishes.keys()) if (!this.letters.includes(letter)) this.wishes.delete(letter)
  }

  /** What was asked for, or everything, to be applied again. */
  asked(all: boolean): readonly AskedLetter[] {
    return this.letters.flatMap((letter) => {
      const wish = this.wishes.get(letter) ?? (all ? 'redrive' : undefined)
      return wish === undefined ? [] : [{ letter, wish }]
    })
  }

  clear(): void {
    this.letters = []
    this.wishes.clear()
  }

  async list({ key, position, limit = 100 }: ListOptions = {}): Promise<readonly ListedLetter[]> {
    const chosen = (letter: DeadLetter) =>
      (key === undefined || isChosen(letter, { key })) && (position === undefined || isChosen(letter, { position }))
    const of = { generation: this.generation, building: this.building }
    return this.letters
      .filter(chosen)
      .map((letter) => ({ ...letter, ...of }))
      .slice(0, limit)
  }

  async count(): Promise<number> {
    return this.letters.length
  }

  async ask(...[wish, which]: Parameters<DeadLetters['ask']>): Promise<number> {
    const chosen = this.letters.filter((letter) => isChosen(letter, which))
    for (const letter of chosen) this.wishes.set(letter, wish)
    return chosen.length
  }
}
