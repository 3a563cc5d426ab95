import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { findDockerEngine } from './docker-engine.js'

afterEach(() => vi.unstubAllEnvs())

test('an engine is one that tells its version', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/version' ? 200 : 404
    response.end('{"Platform":{"Name":"Engine"},"Version":"28.2.2","ApiVersion":"1.50"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('DOCKER_HOST', address)
  expect(await findDockerEngine()).toEqual({ address, version: '28.2.2' })
  server.close()
  server.closeAllConnections()
  expect(await findDockerEngine()).toEqual({ missing: `no Docker engine answers at DOCKER_HOST=${address}` })
})
