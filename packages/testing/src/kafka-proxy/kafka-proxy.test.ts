import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { KafkaFrames } from './kafka-frames.js'
import { type KafkaProxy, kafkaProxy } from './kafka-proxy.js'

const produce = 0
const fetch = 1
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

test('passes requests and answers on, however they are cut up', async () => {
  const { client } = await talk()
  client.write(Buffer.concat([request(produce, 1), request(fetch, 2).subarray(0, 5)]))
  client.write(request(fetch, 2).subarray(5))
  expect(await client.answers(2)).toEqual([1, 2])
})

test('loses the nth answer of a kind, which the broker has given', async () => {
  const { broker, client, proxy } = await talk()
  const lost = proxy.on('Produce').dropResponse({ nth: 2 })
  for (const id of [1, 2, 3]) client.write(request(produce, id))
  client.write(request(fetch, 4))
  expect(await client.answers(3)).toEqual([1, 3, 4])
  await lost.happened
  expect(broker.received).toEqual([1, 2, 3, 4])
  expect(proxy.seen('Produce')).toBe(3)
})

test('cuts the connection in place of an answer', async () => {
  const { broker, client, proxy } = await talk()
  proxy.on('Produce').dropResponse({ cut: true })
  client.write(request(produce, 1))
  await client.closed
  expect(broker.received).toEqual([1])
})

test('loses a request', async () => {
  const { broker, client, proxy } = await talk()
  proxy.on('Produce').dropRequest()
  for (const id of [1, 2]) client.write(request(produce, id))
  expect(await client.answers(1)).toEqual([2])
  expect(broker.received).toEqual([2])
})

test('detains a request whose client is gone, until it is let through', async () => {
  const { broker, client, open, proxy } = await talk()
  const late = proxy.on('Produce').detainRequest()
  client.write(request(produce, 1))
  await client.closed
  const next = await open()
  next.write(request(produce, 2))
  expect(await next.answers(1)).toEqual([2])
  expect(broker.received).toEqual([2])
  await late.deliver()
  expect(broker.received).toEqual([2, 1])
})

test('holds answers back in order', async () => {
  const { client, proxy } = await talk()
  const slow = proxy.on('Produce').delayResponses(50)
  const start = performance.now()
  client.write(Buffer.concat([request(produce, 1), request(fetch, 2)]))
  expect(await client.answers(2)).toEqual([1, 2])
  expect(performance.now() - start).toBeGreaterThan(45)
  expect(slow.times).toBe(1)
  slow.lift()
  client.write(request(produce, 3))
  expect(await client.answers(3)).toEqual([1, 2, 3])
})

test('a black hole swallows one direction until it is lifted', async () => {
  const { broker, client, proxy } = await talk()
  const hole = proxy.blackHole('answer')
  client.write(request(produce, 1))
  await hole.happened
  hole.lift()
  client.write(request(produce, 2))
  expect(await client.answers(1)).toEqual([2])
  expect(broker.received).toEqual([1, 2])
})

test('cutting ends all connections and accepts new ones', async () => {
  const { client, open, proxy } = await talk()
  client.write(request(produce, 1))
  await client.answers(1)
  proxy.cut()
  await client.closed
  const next = await open()
  next.write(request(produce, 2))
  expect(await next.answers(1)).toEqual([2])
})

function request(apiKey: number, correlation: number): Buffer {
  const frame = Buffer.alloc(20)
  frame.writeInt32BE(16)
  frame.writeInt16BE(apiKey, 4)
  frame.writeInt32BE(correlation, 8)
  return frame
}

/** A broker that answers every request with its correlation id, behind a proxy, and a client. */
async function talk() {
  const received = new Collected()
  const server = createServer((socket) => {
    const frames = new KafkaFrames()
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const frame of frames.push(chunk)) {
        received.add(frame.readInt32BE(8))
        const answer = Buffer.alloc(8)
        answer.writeInt32BE(4)
        frame.copy(answer, 4, 8, 12)
        socket.write(answer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  const proxy = await kafkaProxy({ target: { port: (server.address() as AddressInfo).port } })
  cleanups.push(() => proxy.close())
  return { broker: { received: received.items }, proxy, client: await openClient(proxy), open: () => openClient(proxy) }
}

async function openClient(proxy: KafkaProxy) {
  const answers = new Collected()
  const frames = new KafkaFrames()
  const socket: Socket = connect(proxy.port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    for (const frame of frames.push(chunk)) answers.add(frame.readInt32BE(4))
  })
  cleanups.push(() => socket.destroy())
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { closed, write: (bytes: Buffer) => socket.write(bytes), answers: (count: number) => answers.reaches(count) }
}

class Collected {
  readonly items: number[] = []
  #waiting: (() => void)[] = []

  add(item: number): void {
    this.items.push(item)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async reaches(count: number): Promise<number[]> {
    while (this.items.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.items
  }
}
