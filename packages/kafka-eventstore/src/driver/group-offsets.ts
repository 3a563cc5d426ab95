// The offsets that a group remembers.
import type { ClusterClient } from './cluster-client.js'
import type { GroupRequests } from './group-requests.js'

/** As whom somebody commits: of an older generation the group takes nothing. */
export interface Signature {
  readonly generation: number
  readonly memberId: string
}

export class GroupOffsets {
  constructor(
    private readonly client: ClusterClient,
    private readonly group: string,
    private readonly requests: GroupRequests,
  ) {}

  async committed(topic: string, partition: number): Promise<number | undefined> {
    const what = `Reading the offset of ${topic}-${partition} in the group ${this.group}`
    const attempt = async () => {
      const input = { topics: [{ topic, partitions: [{ partition }] }] }
      const { responses } = await this.requests.send('OffsetFetch', 'offsets', input)
      const { errorCode, offset } = responses[0].partitions[0]
      this.client.check(errorCode)
      return Number(offset)
    }
    const offset = await this.client.perform({ what, attempt })
    return offset < 0 ? undefined : offset
  }

  async commit(topic: string, partition: number, offset: number, { generation, memberId }: Signature): Promise<void> {
    const { responses } = await this.requests.send('OffsetCommit', 'offsets', {
      groupGenerationId: generation,
      memberId,
      retentionTime: -1,
      topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
    })
    this.client.check(responses[0].partitions[0].errorCode)
  }
}
