// Asks a Kafka address whether a broker is ready to work there, without a client library.
import { connect } from 'node:net'

/** Metadata request, version 2, for no topics: https://kafka.apache.org/protocol.html#The_Messages_Metadata */
const request = (() => {
  const clientId = Buffer.from('narrative')
  const body = Buffer.alloc(14 + clientId.length)
  body.writeInt16BE(3, 0) // api key
  body.writeInt16BE(2, 2) // api version
  body.writeInt32BE(1, 4) // correlation id
  body.writeInt16BE(clientId.length, 8)
  clientId.copy(body, 10)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
})()

/** A cluster as one of its brokers sees it. */
export interface SeenCluster {
  readonly id: string
  /** How many brokers are up. */
  readonly brokers: number
}

/**
 * The cluster at an address, once a broker there is ready; undefined until then.
 *
 * A broker opens its port before it is ready: only an answer that names a live broker counts.
 */
export function kafkaCluster(host: string, port: number, timeout = 1_000): Promise<SeenCluster | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout })
    let answer = Buffer.alloc(0)
    const finish = (cluster?: SeenCluster) => {
      socket.destroy()
      resolve(cluster)
    }
    socket.once('connect', () => socket.write(request))
    for (const event of ['timeout', 'error', 'close']) socket.once(event, () => finish())
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) finish(clusterIn(answer))
    })
  })
}

/** True when a broker is ready to work at the address. */
export async function kafkaAnswers(host: string, port: number, timeout?: number): Promise<boolean> {
  return (await kafkaCluster(host, port, timeout)) !== undefined
}

/** Size, correlation id, then each broker's id, host, port and rack, then the cluster's id. */
function clusterIn(answer: Buffer): SeenCluster | undefined {
  const brokers = answer.readInt32BE(8)
  let at = 12
  for (let broker = 0; broker < brokers; broker++) {
    at = endOfText(answer, at + 4)
    at = endOfText(answer, at + 4)
  }
  return brokers > 0 ? { id: answer.toString('utf8', at + 2, endOfText(answer, at)), brokers } : undefined
}

/** A text is its length in two bytes, -1 for none, and its bytes. */
const endOfText = (answer: Buffer, at: number) => at + 2 + Math.max(0, answer.readInt16BE(at))
