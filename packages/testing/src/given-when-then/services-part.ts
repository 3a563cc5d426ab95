import type { ApplicationPart, ServiceId } from '@narrative/core'

/** Services by their ids. */
export type Services = readonly (readonly [ServiceId<any>, unknown])[]

/** Puts a test's services into the container before anything is made by it; one that a module binds too is replaced. */
export function servicesPart(services: Services): ApplicationPart {
  return {
    name: 'services of the test',
    prepare({ container }) {
      for (const [id, service] of services) {
        const known = container.isCurrentBound(id as never)
        const binding = known ? container.rebind<unknown>(id as never) : container.bind<unknown>(id as never)
        binding.toConstantValue(service)
      }
      return []
    },
    start: async () => {},
    stop: async () => {},
    health: () => ({ ready: true, reasons: [] }),
  }
}
