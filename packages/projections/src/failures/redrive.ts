// Dead letters on their way back: in order, partition by partition.
import type { BoundProjection } from '../definition/bind-projection.js'
import type { AskedLetter, DeadLetter, LetterPlace } from './dead-letter.js'

/** Letters of one partition at a time, each group in the order of the log; their events as they can be read now. */
export function byPartition(
  asked: readonly AskedLetter[],
  { reread }: Pick<BoundProjection, 'reread'>,
): readonly (readonly AskedLetter[])[] {
  const groups = new Map<string, AskedLetter[]>()
  for (const { letter, wish } of asked) {
    const one = { wish, letter: { ...letter, event: reread(letter.event) } }
    const place = `${one.letter.topic}/${one.letter.partition}`
    const group = groups.get(place)
    if (group === undefined) groups.set(place, [one])
    else group.push(one)
  }
  for (const group of groups.values()) group.sort((a, b) => a.letter.offset - b.letter.offset)
  return [...groups.values()]
}

/** Letters that come back from a redrive go on counting, and keep the reason they were parked for. */
export function parkedAgain(letters: readonly DeadLetter[], redriven: readonly DeadLetter[]): DeadLetter[] {
  const before = new Map(redriven.map((letter) => [`${letter.offset}/${letter.key}`, letter]))
  return letters.map((letter) => {
    // A key that could not be told may be known by now.
    const earlier =
      before.get(`${letter.offset}/${letter.key}`) ?? before.get(`${letter.offset}/${letter.event.streamId}`)
    const { attempts = 0, parkedAt = letter.parkedAt, failure = undefined } = earlier ?? {}
    return { ...letter, parkedAt, attempts: attempts + letter.attempts, failure: letter.failure ?? failure }
  })
}

/** Whether two places are the same. */
export function isSamePlace(a: LetterPlace, b: LetterPlace): boolean {
  return a.offset === b.offset && a.key === b.key && a.partition === b.partition && a.topic === b.topic
}
