// Faults of the network between instances and brokers: silence in one direction or both, cuts, answers lost and late.
import type { KafkaProxy } from '@narrative/testing'
import type { Fault, Faults, Scene } from './fault.js'
import { pause } from './pause.js'

type Way = readonly KafkaProxy[]
/** What requests are named by. */
type Api = Parameters<KafkaProxy['on']>[0]

const directions = { 'hears and says nothing': 'both', 'is not heard': 'request', 'hears nothing': 'answer' } as const
const lost = ['Produce', 'InitProducerId', 'Fetch', 'Heartbeat'] as const
const overtaken = ['Produce', 'InitProducerId', 'OffsetCommit'] as const
const late = ['Produce', 'InitProducerId', 'Fetch'] as const

export const networkFaults: Faults = {
  ...Object.fromEntries(
    Object.entries(directions).flatMap(([name, direction]): [string, Fault][] => [
      [`an instance ${name}`, (scene) => silence(scene, direction, (way) => way)],
      [`an instance ${name} at one broker`, (scene) => silence(scene, direction, (way) => [scene.random.pick(way)])],
    ]),
  ),
  'the connections of an instance are cut': async (scene) => {
    const { name, way } = someWay(scene)
    for (const proxy of way) proxy.cut()
    return name
  },
  ...Object.fromEntries(
    lost.map((api): [string, Fault] => [
      `an answer to ${api} is lost`,
      async (scene) => {
        const { name, proxies } = whoAsks(scene, api)
        const cut = scene.random.chance(0.5)
        const rules = proxies.map((proxy) => proxy.on(api).dropResponse({ nth: nth(scene, api), cut }))
        await provoke(scene, api)
        await Promise.race([...rules.map((rule) => rule.happened), pause(3_000)])
        for (const rule of rules) rule.lift()
        return name
      },
    ]),
  ),
  ...Object.fromEntries(
    overtaken.map((api): [string, Fault] => [
      `a request to ${api} arrives when it was given up`,
      async (scene) => {
        const { name, proxies } = whoAsks(scene, api)
        const rules = proxies.map((proxy) => proxy.on(api).detainRequest())
        await provoke(scene, api)
        await Promise.race([...rules.map((rule) => rule.happened), pause(3_000)])
        await pause(scene.random.between(100, 4_000)) // meanwhile others overtake it
        const struck = rules.filter((rule) => rule.times > 0)
        for (const rule of rules) rule.lift()
        await Promise.race([Promise.all(struck.map((rule) => rule.deliver())), pause(2_000)])
        return name
      },
    ]),
  ),
  ...Object.fromEntries(
    late.map((api): [string, Fault] => [
      `answers to ${api} are late`,
      async (scene) => {
        const { random } = scene
        const { name, proxies } = whoAsks(scene, api)
        const rules = proxies.map((proxy) => proxy.on(api).delayResponses(random.between(100, 2_000)))
        await provoke(scene, api)
        await pause(random.between(1_000, 4_000))
        for (const rule of rules) rule.lift()
        return name
      },
    ]),
  ),
}

function someWay({ services, proxies, random }: Scene): { name: string; way: Way } {
  const at = random.between(0, services.length - 1)
  return { name: services[at]!.name, way: proxies[at]! }
}

async function silence(scene: Scene, direction: 'request' | 'answer' | 'both', choose: (way: Way) => Way) {
  const { name, way } = someWay(scene)
  const holes = choose(way).map((proxy) => proxy.blackHole(direction))
  await pause(scene.random.between(500, 6_000))
  for (const hole of holes) hole.lift()
  return name
}

/** InitProducerId is rare: whoever asks next, after somebody was made to. */
function whoAsks(scene: Scene, api: Api): { name: string; proxies: Way } {
  if (api === 'InitProducerId') return { name: 'who claims next', proxies: scene.proxies.flat() }
  const { name, way } = someWay(scene)
  return { name, proxies: way }
}

const nth = ({ random }: Scene, api: Api) => (api === 'InitProducerId' ? 1 : random.between(1, 5))

async function provoke({ rogue, random, partitions }: Scene, api: Api): Promise<void> {
  if (api === 'InitProducerId') await rogue.fence(random.between(0, partitions - 1))
}
