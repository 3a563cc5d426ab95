// What goes wrong in a history.
import { type Disturbance, disturbanceNames } from './climate.js'
import { InstanceDied } from './virtual-time.js'
import type { World } from './world.js'

/** More than this in one history tells nothing new and takes long. */
const most = 12

/** Disturbs until `working` says that there is nobody left to disturb. */
export async function disturb(world: World, working: () => boolean): Promise<void> {
  const { time, random, climate } = world
  const total = disturbanceNames.reduce((sum, name) => sum + climate.weights[name], 0)
  const under: Promise<void>[] = []
  for (let left = most; working(); ) {
    await time.sleep(random.next() * 2 * climate.calm)
    if (world.anyInstance() === undefined) await world.open() // somebody restarts what died
    let at = random.next() * total
    const name = disturbanceNames.find((each) => {
      at -= climate.weights[each]
      return at < 0
    })
    if (name !== undefined && left-- > 0) under.push(disturbances[name](world))
  }
  await Promise.all(under)
}

const disturbances: Record<Disturbance, (world: World) => Promise<void>> = {
  /** Another instance comes. */
  async rival(world: World) {
    if (world.instances.length < 5) await world.open()
  },
  /** An instance stops as it should: it drains, hands over, leaves. */
  async leave(world: World) {
    const leaver = world.anyInstance()
    if (leaver === undefined) return
    world.tell(`${leaver.name} leaves`)
    world.instances = world.instances.filter((instance) => instance !== leaver)
    await world.time.ask(leaver.name, () => leaver.store.close()).catch(orDied)
    world.time.kill(leaver.name)
  },
  /** kill -9. */
  async crash(world: World) {
    const victim = world.anyInstance()
    if (victim === undefined) return
    world.tell(`${victim.name} is killed`)
    world.time.kill(victim.name)
  },
  /** SIGSTOP, or a blocked event loop; the timers run on. Often somebody takes over meanwhile. */
  async pause(world: World) {
    const { random, time } = world
    const victim = world.anyInstance()
    if (victim === undefined) return
    const milliseconds = random.between(10, 30_000)
    world.tell(`${victim.name} is paused for ${milliseconds} ms`)
    time.pause(victim.name, milliseconds)
    if (random.chance(0.6)) await world.open()
  },
  /** Nothing comes through, in either direction. */
  async cut(world: World) {
    const { random, time, cutOff } = world
    const victim = world.anyInstance()
    if (victim === undefined) return
    world.tell(`${victim.name} is cut off`)
    cutOff.add(victim.name)
    await time.sleep(random.between(100, 25_000))
    cutOff.delete(victim.name)
    world.tell(`${victim.name} is connected again`)
  },
  /** The leader dies: what was not replicated may be gone with it. */
  async leader(world: World) {
    const { random, time } = world
    const partitions = world.cluster.all()
    if (partitions.length === 0) return
    const partition = random.pick(partitions)
    world.tell('a leader dies')
    partition.electing = true
    partition.changeLeader(random.between(0, 2))
    await time.sleep(random.between(1, 12_000))
    partition.electing = false
  },
  /** Too few replicas in sync: nothing is taken for a while. */
  async shrink(world: World) {
    const { random, time } = world
    const partitions = world.cluster.all()
    if (partitions.length === 0) return
    const partition = random.pick(partitions)
    world.tell('too few replicas')
    partition.outOfSync = true
    await time.sleep(random.between(1, 8_000))
    partition.outOfSync = false
  },
  /** A clock jumps. */
  async clock({ random, skew, ...world }: World) {
    const victim = world.instances.at(-1)
    if (victim !== undefined) skew.set(victim.name, random.between(-3_600_000, 3_600_000))
  },
  /** The cluster forgets who wrote: identities, producer states, or both. */
  async forget({ random, cluster, ...world }: World) {
    if (random.chance(0.6)) cluster.forgetIdentities()
    if (random.chance(0.6)) for (const partition of cluster.all()) partition.forgetProducers()
    world.story.push(`${world.time.now.toFixed(1)} the cluster forgets`)
  },
}

function orDied(error: unknown): void {
  if (!(error instanceof InstanceDied)) throw error
}
