// A Postgres server of one's own from the binaries on npm.
import { randomBytes } from 'node:crypto'
import { chown, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@narrative/core'
import { freePort } from './free-port.js'
import { copyBinaries, findPostgresBinaries, hasLinks, isReachable } from './postgres-binaries.js'
import { postgresAnswers } from './postgres-ping.js'
import { announced } from './progress.js'
import { runProgram } from './run-program.js'
import { complete, onFreePorts, serve } from './run-supervised.js'
import { type RunningProgram, SupervisedProcess } from './supervised-process.js'

const host = '127.0.0.1'

/** A server that was started here. */
export interface LocalPostgres {
  readonly url: string
  /** Ends the server's processes at once, as a crash does, and resolves when it is gone; its data stays. */
  kill(): Promise<void>
  /** After {@link kill}: starts it again, on the same port and data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

interface User {
  readonly uid: number
  readonly gid: number
}

/**
 * Starts a server; throws a plain sentence when this machine has not what it takes.
 *
 * @param settings as in postgresql.conf, such as `{ fsync: 'off' }`
 */
export async function startLocalPostgres(
  settings: Readonly<Record<string, string>>,
  logger: Logger,
): Promise<LocalPostgres> {
  const found = await findPostgresBinaries()
  const user = await unprivilegedUser()
  const root = await temporaryDirectory(user)
  const service = await SupervisedProcess.open({
    prefix: join(root, 'narrative-postgres-'),
    // "Immediate shutdown": no checkpoint of data that is about to be removed, yet shared memory is given back.
    stopSignal: 'SIGQUIT',
    user,
  })
  try {
    const binaries = await usableBinaries(found, service.directory, user)
    const password = randomBytes(16).toString('hex')
    await initialise(service, binaries, password, user)
    let running!: RunningProgram
    let start!: () => Promise<RunningProgram>
    const url = await onFreePorts([service], async () => {
      const port = await freePort()
      const url = `postgres://postgres:${password}@${host}:${port}/postgres`
      const flags = { listen_addresses: host, unix_socket_directories: '', port: String(port), ...settings }
      const args = Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const program = {
        command: join(binaries, 'bin', 'postgres'),
        args: ['-D', join(service.directory, 'data'), ...args],
      }
      start = () => serve(service, program, () => postgresAnswers(url))
      running = await announced(logger, `Starting Postgres from npm on ${host}:${port}`, 8_000, start)
      return url
    })
    service.keepAlive(false)
    return {
      url,
      async kill() {
        service.signal('SIGKILL')
        await running.ended
      },
      async restart() {
        running = await start()
      },
      stop: () => service.close(),
    }
  } catch (error) {
    await service.close()
    throw error
  }
}

async function initialise(service: SupervisedProcess, binaries: string, password: string, user?: User): Promise<void> {
  const passwordFile = join(service.directory, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) await chown(passwordFile, user.uid, user.gid)
  const data = ['--pgdata', join(service.directory, 'data'), '--no-sync']
  const text = ['--encoding', 'UTF8', '--locale', 'C']
  const access = ['--username', 'postgres', '--auth', 'password', '--pwfile', passwordFile]
  await complete(service, { command: join(binaries, 'bin', 'initdb'), args: [...data, ...text, ...access] })
}

/** The package's own programs, or a copy where the user of the server could not run them. */
async function usableBinaries(found: string, directory: string, user?: User): Promise<string> {
  const reachable = user === undefined || (await isReachable(join(found, 'bin', 'postgres')))
  if (reachable && (await hasLinks(found))) return found
  const copy = join(directory, 'native')
  await copyBinaries(found, copy)
  return copy
}

/** Postgres refuses to run as root: there it runs as `postgres`, else as `nobody`. No user is created. */
async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([runProgram('id', ['-u', name], 5_000), runProgram('id', ['-g', name], 5_000)])
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.output), gid: Number(gid.output) }
  }
  throw new Error('Postgres does not run as root, and there is neither a user postgres nor a user nobody')
}

/** The system's temporary directory, unless the server's user cannot get there. */
async function temporaryDirectory(user: User | undefined): Promise<string> {
  if (user === undefined || (await isReachable(tmpdir()))) return tmpdir()
  for (const directory of ['/tmp', '/var/tmp']) if (await isReachable(directory)) return directory
  throw new Error(`no temporary directory can be reached by user id ${user.uid}`)
}
