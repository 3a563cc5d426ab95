// Who does what in a cluster at the moment, so that a test strikes the broker it means.
import { askKafka, endOfText, type KafkaRequest, text } from './kafka-request.js'

/** A duty that one broker of a cluster has at a time. */
export type KafkaRole =
  | { readonly role: 'controller' }
  | { readonly role: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly role: 'group-coordinator'; readonly group: string }
  | { readonly role: 'transaction-coordinator'; readonly transactionalId: string }

/** The node id of who has it, as the broker at this address sees it; undefined when it does not know or answer. */
export async function holderOf(role: KafkaRole, host: string, port: number): Promise<number | undefined> {
  switch (role.role) {
    case 'controller':
      return found(await askKafka(host, port, describeQuorum), quorumLeader)
    case 'leader':
      return found(await askKafka(host, port, metadataOf(role.topic)), (answer) => leaderIn(answer, role.partition))
    case 'group-coordinator':
      return found(await askKafka(host, port, findCoordinator(role.group, 0)), coordinatorIn)
    case 'transaction-coordinator':
      return found(await askKafka(host, port, findCoordinator(role.transactionalId, 1)), coordinatorIn)
  }
}

/** Node ids begin with 0, and -1 is nobody. */
function found(answer: Buffer | undefined, read: (answer: Buffer) => number): number | undefined {
  const node = answer === undefined ? -1 : read(answer)
  return node < 0 ? undefined : node
}

const metadataLog = Buffer.from('__cluster_metadata')

/** DescribeQuorum, version 0, for the one partition of the metadata log. Lengths are one more than they are. */
const describeQuorum: KafkaRequest = {
  ...{ apiKey: 55, version: 0, flexible: true },
  body: Buffer.concat([Buffer.of(2, metadataLog.length + 1), metadataLog, Buffer.of(2, 0, 0, 0, 0, 0, 0, 0)]),
}

/** No tags, an error, one topic by its name, one partition by its index, an error, and its leader. */
function quorumLeader(answer: Buffer): number {
  const partition = 1 + 2 + 1 + 1 + metadataLog.length + 1
  return answer.readInt16BE(1) === 0 ? answer.readInt32BE(partition + 4 + 2) : -1
}

const metadataOf = (topic: string): KafkaRequest => {
  return { apiKey: 3, version: 2, body: Buffer.concat([Buffer.of(0, 0, 0, 1), text(topic)]) }
}

function leaderIn(answer: Buffer, wanted: number): number {
  let at = 4
  for (let brokers = answer.readInt32BE(0); brokers > 0; brokers--) {
    at = endOfText(answer, at + 4)
    at = endOfText(answer, at + 4)
  }
  at = endOfText(answer, at) + 4 // the cluster's id, and what KRaft says of the controller: any broker
  at = endOfText(answer, at + 4 + 2) + 1
  const partitions = answer.readInt32BE(at)
  at += 4
  for (let partition = 0; partition < partitions; partition++) {
    if (answer.readInt32BE(at + 2) === wanted) return answer.readInt32BE(at + 6)
    at += 10
    for (let lists = 0; lists < 2; lists++) at += 4 + 4 * Math.max(0, answer.readInt32BE(at)) // replicas, in sync
  }
  return -1
}

const findCoordinator = (key: string, type: number): KafkaRequest => {
  return { apiKey: 10, version: 1, body: Buffer.concat([text(key), Buffer.of(type)]) }
}

/** How long to wait, an error and its message, then the node. */
const coordinatorIn = (answer: Buffer) => (answer.readInt16BE(4) === 0 ? answer.readInt32BE(endOfText(answer, 6)) : -1)
