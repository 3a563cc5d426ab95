// Whether a Docker engine answers, asked quickly and without noise. The client alone starts nothing.
import { access } from 'node:fs/promises'
import { type RequestOptions, request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** An engine that answers, or why there is none. */
export type DockerEngine = { readonly address: string; readonly version: string } | { readonly missing: string }

/** Looks where testcontainers looks: `DOCKER_HOST`, then the sockets of the engine, of rootless Docker and of Docker Desktop. */
export async function findDockerEngine(): Promise<DockerEngine> {
  const asked = process.env.DOCKER_HOST
  for (const address of asked ? [asked] : sockets()) {
    const version = await engineVersion(address)
    if (version !== undefined) return { address, version }
  }
  return { missing: asked ? `no Docker engine answers at DOCKER_HOST=${asked}` : 'no Docker engine answers' }
}

function sockets(): string[] {
  if (process.platform === 'win32') return ['npipe:////./pipe/docker_engine']
  const runtime = process.env.XDG_RUNTIME_DIR
  const home = homedir()
  return [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, '.docker/run/docker.sock'), join(runtime, 'docker.sock')] : []),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
  ].map((path) => `unix://${path}`)
}

async function engineVersion(address: string): Promise<string | undefined> {
  const { protocol, hostname, port, pathname } = new URL(address)
  const local = protocol === 'unix:' || protocol === 'npipe:'
  // Asking a socket that is not there is an error event more; looking first is quicker.
  if (
    protocol === 'unix:' &&
    !(await access(pathname).then(
      () => true,
      () => false,
    ))
  )
    return undefined
  const target: RequestOptions = local ? { socketPath: pathname } : { hostname, port: port || 2375 }
  return new Promise((resolve) => {
    const asking = request({ ...target, path: '/version', timeout: 2_000 }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve(response.statusCode === 200 ? /"Version":"([^"]+)"/.exec(body)?.[1] : undefined))
    })
    asking.once('timeout', () => asking.destroy())
    // Refused, gone or no permission: for a test run all the same.
    asking.once('error', () => resolve(undefined))
    asking.end()
  })
}
