// Faults of the service's own processes: killed at a point, frozen, stopped, busy, with a wrong clock.
import type { Fault, Faults, Scene } from './fault.js'
import type { KillPoint } from './instance-messages.js'
import { pause } from './pause.js'
import type { Service } from './service.js'

/** An instance that is busy gets to the point sooner than that; else it dies where it is. */
const patience = 3_000
const hours = 3_600_000

export const instanceFaults: Faults = {
  'an instance is killed before it sends': killedAt('before send'),
  'an instance is killed after it has sent': async ({ services, proxies, random }) => {
    const at = random.between(0, services.length - 1)
    return killed(services[at]!, random.between(0, 1_500), async (service) => {
      const rules = proxies[at]!.map((proxy) => proxy.on('Produce').dropResponse())
      await Promise.race([...rules.map((rule) => rule.happened), pause(patience)])
      service.signal('SIGKILL')
      for (const rule of rules) rule.lift()
    })
  },
  'an instance is killed before it answers': killedAt('before reply'),
  'an instance is killed before it answers another one': killedAt('before routed reply'),
  'an instance is stopped and started again': ({ services, random }) =>
    killed(random.pick(services), random.between(0, 1_500), stopped),
  'instances join and leave every 2 s': async ({ guest }) => {
    await guest.turns.take(async () => {
      for (let round = 0; round < 3; round++) {
        guest.start()
        await pause(2_000)
        guest.holdDown()
        await stopped(guest)
        await Promise.all([guest.gone(), pause(2_000)])
      }
    })
    return guest.name
  },
  'an instance is frozen for half a session': frozen(0.5),
  'an instance is frozen for one and a half sessions': frozen(1.5),
  'an instance is frozen for three sessions': frozen(3),
  'the event loop of an instance stands still for 15 s': async ({ services, random }) => {
    const service = random.pick(services)
    service.harm({ block: 15_000 })
    await pause(15_000)
    return service.name
  },
  'the clock of an instance jumps 3 h ahead': clockJumps(3 * hours),
  'the clock of an instance jumps 3 h back': clockJumps(-3 * hours),
  'the worker of the views is killed': ({ worker, random }) =>
    killed(worker, random.between(0, 500), async () => worker.signal('SIGKILL')),
}

/** Keeps a service down for a while after it was made to end. */
export function killed(service: Service, down: number, end: (service: Service) => Promise<void>): Promise<string> {
  return service.turns.take(async () => {
    service.holdDown()
    await end(service)
    await service.gone()
    await pause(down)
    service.start()
    return service.name
  })
}

function killedAt(point: KillPoint): Fault {
  return ({ services, random }) =>
    killed(random.pick(services), random.between(0, 1_500), async (service) => {
      service.harm({ killAt: point })
      await Promise.race([service.gone(), pause(patience)])
      service.signal('SIGKILL')
    })
}

/** Told to stop; killed when it does not. */
async function stopped(service: Service): Promise<void> {
  service.harm({ stop: true })
  await Promise.race([service.gone(), pause(15_000)])
  service.signal('SIGKILL')
}

function frozen(sessions: number): Fault {
  return async ({ services, random, sessionTimeout }: Scene) => {
    const service = random.pick(services)
    service.signal('SIGSTOP')
    await pause(sessions * sessionTimeout)
    service.signal('SIGCONT')
    return service.name
  }
}

function clockJumps(milliseconds: number): Fault {
  return async ({ services, random }) => {
    const service = random.pick(services)
    service.harm({ clock: milliseconds })
    await pause(random.between(1_000, 4_000))
    service.harm({ clock: 0 })
    return service.name
  }
}
