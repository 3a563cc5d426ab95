// Asks a Kafka address whether a broker is ready to work there, without a client library.
import { connect } from 'node:net'

/** Metadata request, version 1, for no topics: https://kafka.apache.org/protocol.html#The_Messages_Metadata */
const request = (() => {
  const clientId = Buffer.from('narrative')
  const body = Buffer.alloc(14 + clientId.length)
  body.writeInt16BE(3, 0) // api key
  body.writeInt16BE(1, 2) // api version
  body.writeInt32BE(1, 4) // correlation id
  body.writeInt16BE(clientId.length, 8)
  clientId.copy(body, 10)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
})()

/**
 * True when the address answers a Metadata request and names at least one live broker.
 *
 * A broker opens its port before it is ready: only the answer counts.
 */
export function kafkaAnswers(host: string, port: number, timeout = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout })
    let answer = Buffer.alloc(0)
    const finish = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    socket.once('connect', () => socket.write(request))
    socket.once('timeout', () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      // size, correlation id, number of brokers
      if (answer.length >= 12) finish(answer.readInt32BE(8) > 0)
    })
  })
}
