// Ports for the services of a test run.
import { createServer } from 'node:net'

/**
 * A port that is free on the loopback address now.
 *
 * Taken below the range the kernel hands out to outgoing connections, so that none of those can sit on it while a service
 * is being (re)started. Another process can still be quicker: whoever binds it must be ready to ask again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
  throw new Error('No free port was found between 20000 and 32000 on 127.0.0.1.')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
