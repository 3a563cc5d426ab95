// One process per directory. The lock is a listening socket: the system lets go of it when the process dies, however.
import { createHash, randomUUID } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NarrativeError } from '@narrative/core'

/** Lets go of a directory. */
export type Unlock = () => Promise<void>

/** What the address of a socket can hold, less some room for renaming it. */
const longestPath = 80

/**
 * Takes a directory for this process.
 *
 * @param directory an absolute path that exists
 * @throws NarrativeError `DIRECTORY_IN_USE`
 */
export async function lockDirectory(directory: string): Promise<Unlock> {
  const address = addressOf(directory)
  for (let attempt = 0; attempt < 20; attempt++) {
    const server = await listening(address)
    if (server !== undefined) return () => new Promise((resolve) => server.close(() => resolve()))
    if (await answers(address)) throw inUse(directory)
    // Left behind by a process that was killed. Of several who see that, one gets to move it away.
    const aside = `${address}.${randomUUID().slice(0, 8)}`
    try {
      renameSync(address, aside)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') continue
      throw error
    }
    if (await answers(aside)) {
      renameSync(aside, address) // it was not the one we had looked at: somebody was quicker
      throw inUse(directory)
    }
    rmSync(aside, { force: true })
  }
  throw inUse(directory)
}

function addressOf(directory: string): string {
  const name = `narrative-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`
  const own = join(directory, 'lock')
  return Buffer.byteLength(own) <= longestPath ? own : join(tmpdir(), `${name}.lock`)
}

/** Undefined when the address is taken, by somebody alive or dead. */
function listening(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(address, () => {
      server.unref()
      resolve(server)
    })
  })
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function inUse(directory: string): NarrativeError {
  return new NarrativeError('DIRECTORY_IN_USE', {
    message: `${directory} is open already, in another process or by another store of this one. Stop that one first, or give each its own directory.`,
    details: { directory },
  })
}
