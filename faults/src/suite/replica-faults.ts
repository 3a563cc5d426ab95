// Faults of a replica on disk, done while its instance is down.
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../random.js'
import type { Fault, Faults, Scene } from './fault.js'
import { pause } from './pause.js'
import type { Service } from './service.js'

export const replicaFaults: Faults = {
  'files of a replica are truncated': damaged((file, size, random) => truncateSync(file, random.between(0, size - 1))),
  'files of a replica are corrupt': damaged((file, size, random) => {
    const opened = openSync(file, 'r+')
    writeSync(opened, Buffer.of(random.between(0, 255), random.between(0, 255)), 0, 2, random.between(0, size - 1))
    closeSync(opened)
  }),
  'a replica is stale: an earlier copy of itself': ({ services, random }) => {
    const { service, directory } = onDisk(services, random)
    const copy = `${directory}.earlier`
    return service.turns.take(async () => {
      await service.kill()
      if (existsSync(directory)) cpSync(directory, copy, { recursive: true, filter: isFile })
      service.start()
      await pause(random.between(2_000, 4_000))
      await service.kill()
      rmSync(directory, { recursive: true, force: true })
      if (existsSync(copy)) cpSync(copy, directory, { recursive: true })
      rmSync(copy, { recursive: true, force: true })
      service.start()
      return service.name
    })
  },
}

/** Up to four files of it, whatever they are for. */
function damaged(damage: (file: string, size: number, random: Random) => void): Fault {
  return ({ services, random }: Scene) => {
    const { service, directory } = onDisk(services, random)
    return service.turns.take(async () => {
      await service.kill()
      const all = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : []
      const files = all.map((name) => join(directory, name)).filter((file) => statSync(file).isFile())
      for (let n = 0; n < 4 && files.length > 0; n++) {
        const file = random.pick(files)
        const { size } = statSync(file)
        if (size > 0) damage(file, size, random)
      }
      service.start()
      return service.name
    })
  }
}

function onDisk(services: readonly Service[], random: Random): { service: Service; directory: string } {
  const service = random.pick(services.filter(({ settings }) => settings.directory !== undefined))
  return { service, directory: service.settings.directory! }
}

/** Not the socket that is the lock. */
function isFile(path: string): boolean {
  const facts = statSync(path)
  return facts.isFile() || facts.isDirectory() ? !path.endsWith('.lock') : false
}
