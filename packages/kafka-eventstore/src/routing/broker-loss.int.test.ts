// Brokers with a duty in routing are killed: commands wait it out or say that they may be repeated, and none acts twice.
import { randomUUID } from 'node:crypto'
import { isNarrativeError } from '@narrative/core'
import { type KafkaRole, startKafka, uniqueName } from '@narrative/testing'
import { expect, test } from 'vitest'
import { Account, Deposit, startAccounts } from './accounts.test-support.js'

test('the leaders of the commands and of the replies die, and the coordinator of the group', async ({ annotate }) => {
  const cluster = await startKafka({ nodes: 3 })
  const context = uniqueName('loss')
  const options = { brokers: cluster.brokers, context, partitions: 1, replicationFactor: 3 }
  const owner = await startAccounts(options)
  const asker = await startAccounts(options) // there is one partition, and it is taken
  const ids = Array.from({ length: 16 }, () => randomUUID())
  const confirmed = new Map(ids.map((id) => [id, 0]))
  const codes = new Set<string>()
  const wrong: unknown[] = []
  /** When the latest command began that was confirmed. */
  let latest = 0
  let stopped = false
  const callers = ids.map(async (id) => {
    while (!stopped) {
      const commandId = randomUUID()
      const began = performance.now()
      for (let done = false; !done; ) {
        try {
          await asker.commands.execute(new Deposit(id, 1), { commandId })
          done = true
        } catch (error) {
          if (!isNarrativeError(error) || !error.retryable) {
            wrong.push(error)
            return
          }
          codes.add(error.code)
        }
      }
      confirmed.set(id, confirmed.get(id)! + 1)
      latest = Math.max(latest, began)
    }
  })
  await expect.poll(() => latest, { timeout: 30_000 }).toBeGreaterThan(0)

  const duties: KafkaRole[] = [
    { role: 'leader', topic: `${context}.account.commands`, partition: 0 },
    { role: 'leader', topic: `${context}.replies`, partition: 0 },
    { role: 'group-coordinator', group: context },
  ]
  const gaps: string[] = []
  for (const duty of duties) {
    const node = (await cluster.holderOf(duty))!
    await node.kill('SIGKILL')
    const killed = performance.now()
    await expect.poll(() => latest, { timeout: 60_000, interval: 50 }).toBeGreaterThan(killed)
    gaps.push(
      `${'topic' in duty ? duty.topic.slice(context.length + 1) : duty.role} ${((performance.now() - killed) / 1000).toFixed(1)} s`,
    )
    await node.restart()
  }
  await annotate(`first new command after ${gaps.join(', ')}; told meanwhile: ${[...codes].join(', ') || 'nothing'}`)
  stopped = true
  await Promise.all(callers)

  expect(wrong).toEqual([])
  for (const id of ids) {
    const count = confirmed.get(id)!
    expect(await owner.aggregates.state(Account, id)).toMatchObject({ version: count, state: { balance: count } })
  }
  await asker.stop()
  await owner.stop()
  await cluster.stop()
}, 300_000)
