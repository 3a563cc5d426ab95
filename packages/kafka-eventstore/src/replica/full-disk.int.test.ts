// An instance whose disk is full, in a group on a real broker: what it had, another one serves.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { silentLogger, systemClock } from '@narrative/core'
import { startKafka, uniqueName } from '@narrative/testing'
import { expect, test } from 'vitest'
import { kafkaEventStore } from '../kafka-event-store.js'
import { anEvent, metadata, until } from '../store.test-support.js'

const kafka = await startKafka()

test.runIf(process.platform !== 'win32')(
  'it gives its partitions up, and another instance takes them with all that was acknowledged',
  async () => {
    const context = uniqueName('full')
    const directory = mkdtempSync(join(tmpdir(), 'narrative-full-'))
    const fixture = join(import.meta.dirname, 'full-disk-instance.test-support.ts')
    const instance = [process.execPath, '--import', 'tsx', fixture, kafka.brokers.join(), context, directory]
    // A limit on the size of files stands for the end of the disk; it holds for root, too.
    const child = spawn('bash', ['-c', 'trap "" XFSZ; ulimit -f 2000; exec "$@"', 'sh', ...instance], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    const options = { brokers: kafka.brokers, context, partitions: 4 }
    const opening = { categories: ['order'], clock: systemClock, logger: silentLogger }
    let other: Awaited<ReturnType<ReturnType<typeof kafkaEventStore>['open']>> | undefined
    try {
      await until(() => lines.includes('serving'))
      const store = await kafkaEventStore(options).open(opening)
      other = store
      await until(() => lines.some((line) => line.startsWith('failed')))
      expect(lines.find((line) => line.startsWith('failed'))).toMatch(/is not served: .*make room/)
      await until(() => store.status().every(({ state }) => state === 'serving'))
      expect(child.exitCode).toBeNull() // it is not its death that moved them
      const acknowledged = lines.filter((line) => line.startsWith('order-'))
      expect(acknowledged.length).toBeGreaterThan(100)
      for (const line of acknowledged) {
        const [streamId, commandId] = line.split(' ') as [string, string]
        expect(await store.eventStore.findCommand(streamId, commandId), line).toBeDefined()
      }
      for (let stream = 0; stream < 20; stream++) {
        const options = { expectedVersion: 'any' as const, metadata: metadata(`after-${stream}`) }
        expect(await store.eventStore.append(`order-${stream}`, [anEvent()], options)).toMatchObject({
          duplicate: false,
        })
      }
    } finally {
      if (child.exitCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await other?.close()
      rmSync(directory, { recursive: true })
    }
  },
  120_000,
)
