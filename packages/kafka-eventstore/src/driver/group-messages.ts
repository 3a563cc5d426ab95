// What a member and the leader of its group tell each other: Kafka's consumer protocol, with words of our own in userData.
import { AssignerProtocol } from 'kafkajs'
import type { GroupCandidate, Share } from './sticky-assignment.js'

/** What a member says of itself when it joins. */
export type Brought = Omit<GroupCandidate, 'id' | 'topics'>

/** The share of who has none. */
export const nothing: Share = { owned: {}, followed: {}, promised: {} }

export function encodeMember(topics: readonly string[], brought: Brought): Buffer {
  const userData = Buffer.from(JSON.stringify(brought))
  return AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [...topics], userData })
}

export function decodeMember(id: string, metadata: Buffer): GroupCandidate {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata)
  const brought = JSON.parse(decoded?.userData.toString() || '{}') as Partial<Brought>
  return { generation: -1, owned: {}, ...brought, id, topics: decoded?.topics ?? [] }
}

export function encodeShare({ owned, followed, promised }: Share): Buffer {
  const userData = Buffer.from(JSON.stringify({ followed, promised }))
  const assignment = owned as Record<string, number[]>
  return AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData })
}

export function decodeShare(assignment: Buffer): Share {
  const decoded = AssignerProtocol.MemberAssignment.decode(assignment)
  const besides = JSON.parse(decoded?.userData.toString() || '{}') as Partial<Share>
  return { ...nothing, ...besides, owned: decoded?.assignment ?? {} }
}
