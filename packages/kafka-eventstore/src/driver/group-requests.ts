// The requests of a consumer group, sent to its coordinator; their error codes are the member's to read.
import type { BrokerLink } from './broker-link.js'
import type { ClusterClient } from './cluster-client.js'
import type { ControlApi } from './kafkajs-internals.js'

const groupCoordinator = 0
const notCoordinator = new Set([14, 15, 16])

export class GroupRequests {
  #address: { readonly host: string; readonly port: number } | undefined

  constructor(
    private readonly client: ClusterClient,
    private readonly group: string,
  ) {}

  /**
   * Sends one request on a connection of its own kind: a JoinGroup waits at the broker, and holds up what is behind it.
   * @throws ConnectionFailure, ProtocolFailure when the coordinator is not to be found at the moment
   */
  async send(api: ControlApi, slot: string, input: object): Promise<any> {
    try {
      const answer = await (await this.#link(slot)).control(api, { groupId: this.group, ...input })
      if (notCoordinator.has(answer.errorCode)) this.#address = undefined
      return answer
    } catch (error) {
      this.#address = undefined
      throw error
    }
  }

  async #link(slot: string): Promise<BrokerLink> {
    const { client, group: groupId } = this
    if (this.#address === undefined) {
      const found = await client.view.anyBroker(async (address) => {
        const link = await client.control(address)
        return link.control('GroupCoordinator', { groupId, coordinatorType: groupCoordinator })
      })
      client.check(found.errorCode)
      this.#address = found.coordinator
    }
    return client.links.shared(this.#address!, `group ${slot}`)
  }
}
