// The service as a process: it starts, it serves, and it ends in order. Runs what `pnpm build` built.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Environment, ProcessUnderTest } from './contract/process-under-test.test-support.js'

const running: ProcessUnderTest[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.kill('SIGKILL')
})

function start(environment: Environment): ProcessUnderTest {
  const service = new ProcessUnderTest('main', [], environment)
  running.push(service)
  return service
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s: the request under way is answered, then it exits 0', async (signal) => {
  const service = start({ PORT: '0' })
  const address = await service.url()
  const body = JSON.stringify({ customerId: 'ada', lines: [{ productId: 'tea', quantity: 1, unitPrice: 450 }] })
  let sendRest: (() => void) | undefined
  const slowBody = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(body.slice(0, 20)))
      sendRest = () => {
        controller.enqueue(Buffer.from(body.slice(20)))
        controller.close()
      }
    },
  })
  const answer = fetch(`${address}/v1/orders`, {
    method: 'POST',
    body: slowBody,
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  } as RequestInit)
  await expect.poll(() => service.out).toContain('incoming request')
  service.kill(signal)
  await expect.poll(() => service.out).toContain('Shutting down')
  sendRest!()
  expect((await answer).status).toBe(201)
  expect(await service.ended).toBe(0)
  expect(service.err).toBe('')
})

test('SIGTERM ends live answers, and the service', async () => {
  const service = start({ PORT: '0' })
  const live = await fetch(`${await service.url()}/v1/orders?customerId=ada`, {
    headers: { accept: 'text/event-stream' },
  })
  service.kill('SIGTERM')
  expect(await live.text()).toBe('data: {"orders":[]}\n\n')
  expect(await service.ended).toBe(0)
  expect(service.err).toBe('')
})

test('settings that cannot be are said plainly, all at once', async () => {
  const service = start({ PORT: 'http', DATABASE_URL: 'postgres://localhost/orders' })
  expect(await service.ended).toBe(1)
  expect(service.err).toContain('PORT must be')
  expect(service.err).toContain('KAFKA_BROKERS is not')
  expect(service.err).not.toMatch(/^ +at /m)
})

test('a port in use is said plainly', async () => {
  const blocker: Server = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, 'localhost', resolve))
  const { port } = blocker.address() as AddressInfo
  const service = start({ PORT: String(port) })
  expect(await service.ended).toBe(1)
  expect(service.err).toContain(`Port ${port} is in use`)
  blocker.close()
})

test('a broker that is not there is said plainly', async () => {
  const service = start({
    PORT: '0',
    KAFKA_BROKERS: '127.0.0.1:1',
    DATABASE_URL: 'postgres://localhost:1/orders',
  })
  expect(await service.ended).toBe(1)
  expect(service.err).toContain('127.0.0.1:1')
  expect(service.err).not.toMatch(/^ +at /m)
})

test('the correlation id of a request that arrives in parts is in its event', async () => {
  const service = start({ PORT: '0' })
  const url = await service.url()
  const body = JSON.stringify({ customerId: 'ada', lines: [{ productId: 'tea', quantity: 1, unitPrice: 450 }] })
  const parts = new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from(body.slice(0, 20)))
      await expect.poll(() => service.out).toContain('story-1')
      controller.enqueue(Buffer.from(body.slice(20)))
      controller.close()
    },
  })
  const headers = { 'content-type': 'application/json', 'x-correlation-id': 'story-1' }
  const placed = await fetch(`${url}/v1/orders`, {
    method: 'POST',
    body: parts,
    headers,
    duplex: 'half',
  } as RequestInit)
  const history = await fetch(`${url}${placed.headers.get('location')}/history`)
  const { events } = (await history.json()) as { events: { metadata: object }[] }
  expect(events[0]?.metadata).toMatchObject({ correlationId: 'story-1' })
})
