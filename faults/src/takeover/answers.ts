// One command id, one answer: its owner dies with the command in hand, and whoever is asked again says the same.
import { randomUUID } from 'node:crypto'
import type { AppendOperation, AppendOutcome } from '../checker/history.js'
import type { KillPoint } from '../suite/instance-messages.js'
import type { Service } from '../suite/service.js'
import type { ServiceClients } from '../suite/service-clients.js'

/** Where the owner dies. The last one has the command from another instance, which waits for the reply. */
const deaths: readonly KillPoint[] = ['before send', 'before reply', 'before routed reply']
const patience = 20_000

type Command = Pick<AppendOperation, 'streamId' | 'commandId'>

/** @returns a sentence for each answer that was another than the first */
export async function answersOnce(services: readonly Service[], clients: ServiceClients): Promise<string[]> {
  const faults: string[] = []
  for (const death of deaths) {
    const streamId = clients.newStream(0)
    await ask(services[0]!, clients, { streamId, commandId: randomUUID() })
    const owner = await ownerOf(streamId, services)
    const others = services.filter((service) => service !== owner)
    const command = { streamId, commandId: randomUUID() }
    owner.harm({ killAt: death })
    const died = owner.gone() // from here on: its supervisor soon starts it again
    const asked = death === 'before routed reply' ? others[0]! : owner
    const first = await ask(asked, clients, command)
    await died
    const answers = first.outcome.told === 'appended' ? [first] : []
    for (const other of [...others, ...others]) answers.push(await ask(other, clients, command))
    // Nothing was sent, so the first who is asked again carries it out; else it was carried out already.
    const eventIds = death === 'before send' ? answers[0]!.eventIds : first.eventIds
    const { position } = answers[0]!.outcome as Extract<AppendOutcome, { told: 'appended' }>
    for (const { outcome, instance } of answers) {
      const right =
        outcome.told === 'appended' &&
        outcome.version === 2 &&
        outcome.position.offset === position.offset &&
        outcome.eventIds?.join() === eventIds.join()
      if (!right) faults.push(`${owner.name} died ${death}, and ${instance} answered ${JSON.stringify(outcome)}`)
    }
  }
  return faults
}

async function ask(service: Service, clients: ServiceClients, command: Command): Promise<Omit<AppendOperation, 'id'>> {
  const start = performance.now()
  const asked = { ...command, expectedVersion: 'any' as const, eventIds: [randomUUID()] }
  const answer = await service.ask({ execute: { ...asked, refuse: false, patience } }, patience + 5_000)
  const answered = answer !== undefined && 'execute' in answer
  const outcome: AppendOutcome = answered ? answer.execute : { told: 'unknown', code: 'NO_ANSWER' }
  const called = { client: 'a', instance: service.name, start, end: answered ? performance.now() : null }
  const operation = { kind: 'append' as const, ...called, ...asked, outcome }
  clients.note(operation)
  return operation
}

/** Only there the replica holds it. */
async function ownerOf(streamId: string, services: readonly Service[]): Promise<Service> {
  for (;;) {
    for (const service of services) {
      const answer = await service.ask({ dump: [streamId], upTo: [] }, patience)
      if (answer === undefined || !('dump' in answer)) continue
      if (Object.values(answer.dump).some((streams) => streamId in streams)) return service
    }
  }
}
