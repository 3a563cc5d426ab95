// Faults of a writer outside the group, which the group knows nothing of.
import type { Fault, Faults, Scene } from './fault.js'
import type { Rogue, RogueAppend } from './rogue.js'
import { readAt } from './service-clients.js'

export const rogueFaults: Faults = {
  'a rogue fences an owner': async ({ rogue, random, partitions }) => {
    const partition = random.between(0, partitions - 1)
    await rogue.fence(partition)
    return `partition ${partition}`
  },
  'a rogue claims a partition and appends': writing((rogue, ...place) => rogue.append(...place)),
  'a rogue appends under an old claim, fencing the owner': writing((rogue, ...place) => rogue.stray(...place, true)),
  'a rogue appends under an old claim': writing((rogue, ...place) => rogue.stray(...place, false)),
}

type Place = readonly [partition: number, streamId: string, known: number]

function writing(write: (rogue: Rogue, ...place: Place) => Promise<RogueAppend>): Fault {
  return async (scene) => {
    const { rogue, random, partitions, clients } = scene
    const partition = random.between(0, partitions - 1)
    // To a stream that others write to, when its version can be had, else to one of its own.
    const shared = random.chance(0.5) ? clients.someStream(partition) : undefined
    const known = shared === undefined ? undefined : await versionOf(scene, shared)
    const own = known === undefined
    const streamId = own ? clients.newStream(partition) : shared!
    clients.note(await write(rogue, partition, streamId, known ?? 0))
    return `partition ${partition}${own ? '' : `, ${streamId}`}`
  }
}

async function versionOf({ services, random }: Scene, streamId: string): Promise<number | undefined> {
  const ready = services.filter((service) => service.trusted)
  if (ready.length === 0) return undefined
  const { outcome } = await readAt(random.pick(ready), streamId, true)
  return outcome.told === 'events' ? outcome.eventIds.length : undefined
}
