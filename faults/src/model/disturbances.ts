// What goes wrong in a history.
import { type Disturbance, disturbanceNames } from './climate.js'
import type { SimulatedPartition } from './simulated-cluster.js'
import { InstanceDied } from './virtual-time.js'
import { type Instance, topic, type World } from './world.js'

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
  /** An instance stops as it should: it drains, hands over, leaves; often while the network fails it. */
  async leave(world: World) {
    const { time, random } = world
    const leaver = world.anyInstance()
    if (leaver === undefined) return
    world.tell(`${leaver.name} leaves`)
    world.instances = world.instances.filter((instance) => instance !== leaver)
    const cut = random.chance(0.4) ? isolate(world, leaver, random.between(1_000, 20_000)) : undefined
    await time.ask(leaver.name, () => leaver.app.stop()).catch(orDied)
    time.kill(leaver.name)
    await cut
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
  /** An instance is out for longer than its session, and others do its work; balancers leave it alone till it is back. */
  async absence(world: World) {
    const { random, time, shunned } = world
    const victim = world.anyInstance()
    // One at a time: somebody must be there to take over.
    if (victim === undefined || world.group === undefined || shunned.size > 0) return
    if (world.instances.length < 2) await world.open()
    const milliseconds = random.between(6_500, 15_000)
    world.tell(`${victim.name} is absent for ${milliseconds} ms`)
    shunned.add(victim.name)
    time.pause(victim.name, milliseconds)
    await time.sleep(milliseconds + random.between(0, 4_000))
    shunned.delete(victim.name)
  },
  /** Nothing comes through, in either direction. */
  async cut(world: World) {
    const victim = world.anyInstance()
    if (victim !== undefined) await isolate(world, victim, world.random.between(100, 25_000))
  },
  /** The cluster splits, and an instance stays with brokers that the others cannot reach and that go on leading. */
  async split(world: World) {
    const { astray, cluster, random, time } = world
    const victim = world.anyInstance()
    if (victim === undefined || astray.has(victim.name)) return
    if (world.instances.length < 2) await world.open() // somebody must be there to take over
    const led = cluster.all().filter(() => random.chance(0.8))
    world.tell(`${victim.name} is left with brokers that are cut off`)
    astray.set(victim.name, new Map(led.map((partition) => [partition, partition.highWatermark])))
    await time.sleep(random.between(1_000, 25_000))
    astray.delete(victim.name)
    world.tell(`${victim.name} reaches all brokers again`)
  },
  /** The leader dies: what was not replicated may be gone with it. */
  leader: (world: World) =>
    strike(world, 'a leader dies', (partition) => {
      partition.electing = true
      partition.changeLeader(world.random.between(0, 2))
      const heal = () => {
        partition.electing = false
      }
      return { lasts: 12_000, heal }
    }),
  /** Too few replicas in sync: nothing is taken for a while. */
  shrink: (world: World) =>
    strike(world, 'too few replicas', (partition) => {
      partition.outOfSync = true
      const heal = () => {
        partition.outOfSync = false
      }
      return { lasts: 8_000, heal }
    }),
  /** A clock jumps. */
  async clock({ random, skew, instances }: World) {
    const victim = instances.at(-1)
    if (victim !== undefined) skew.set(victim.name, random.between(-3_600_000, 3_600_000))
  },
  /** The cluster forgets who wrote: identities, producer states, or both. */
  async forget(world: World) {
    const { random, cluster } = world
    if (random.chance(0.6)) cluster.forgetIdentities()
    // Of the events topics only: elsewhere nobody writes under an identity that was idle for as long as that takes.
    if (random.chance(0.6)) for (const partition of cluster.of(topic)) partition.forgetProducers()
    world.tell('the cluster forgets')
  },
}

async function isolate(world: World, { name }: Instance, milliseconds: number): Promise<void> {
  const { time, cutOff } = world
  world.tell(`${name} is cut off`)
  cutOff.add(name)
  await time.sleep(milliseconds)
  cutOff.delete(name)
  world.tell(`${name} is connected again`)
}

/** Harms some partition for a while. */
async function strike(
  world: World,
  what: string,
  harm: (partition: SimulatedPartition) => { readonly lasts: number; readonly heal: () => void },
): Promise<void> {
  const { random, time } = world
  const partitions = world.cluster.all()
  if (partitions.length === 0) return
  world.tell(what)
  const { lasts, heal } = harm(random.pick(partitions))
  await time.sleep(random.between(1, lasts))
  heal()
}

function orDied(error: unknown): void {
  if (!(error instanceof InstanceDied)) throw error
}
