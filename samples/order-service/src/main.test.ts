// The service as a process: it starts, it serves, and it ends in order. Runs what `pnpm build` built.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function start(environment: Record<string, string>) {
  const { KAFKA_BROKERS: _, DATABASE_URL: __, PORT: ___, ...rest } = process.env
  const child = spawn(process.execPath, [main], { env: { ...rest, ...environment } })
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const url = async () => {
    await expect.poll(() => output.out, { timeout: 20_000 }).toMatch(/Server listening at http:\/\/127/)
    return /Server listening at (http:\/\/127[^"]+)/.exec(output.out)![1]!
  }
  return { child, output, ended, url }
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s: the request under way is answered, then it exits 0', async (signal) => {
  const { child, ended, output, url } = start({ PORT: '0' })
  const address = await url()
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
  await expect.poll(() => output.out).toContain('incoming request')
  child.kill(signal)
  await expect.poll(() => output.out).toContain('Shutting down')
  sendRest!()
  expect((await answer).status).toBe(201)
  expect(await ended).toBe(0)
  expect(output.err).toBe('')
})

test('settings that cannot be are said plainly, all at once', async () => {
  const { ended, output } = start({ PORT: 'http', DATABASE_URL: 'postgres://localhost/orders' })
  expect(await ended).toBe(1)
  expect(output.err).toContain('PORT must be')
  expect(output.err).toContain('KAFKA_BROKERS is not')
  expect(output.err).not.toMatch(/^ +at /m)
})

test('a port in use is said plainly', async () => {
  const blocker: Server = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, 'localhost', resolve))
  const { port } = blocker.address() as AddressInfo
  const { ended, output } = start({ PORT: String(port) })
  expect(await ended).toBe(1)
  expect(output.err).toContain(`Port ${port} is in use`)
  blocker.close()
})

test('a broker that is not there is said plainly', async () => {
  const { ended, output } = start({
    PORT: '0',
    KAFKA_BROKERS: '127.0.0.1:1',
    DATABASE_URL: 'postgres://localhost:1/orders',
  })
  expect(await ended).toBe(1)
  expect(output.err).toContain('127.0.0.1:1')
  expect(output.err).not.toMatch(/^ +at /m)
})
