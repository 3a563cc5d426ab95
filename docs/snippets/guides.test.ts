// The code of the guides does what the guides say.
import { createApplication, isDomainError } from '@narrative/core'
import { ContainerModule } from 'inversify'
import { expect, test } from 'vitest'
import { Account, AccountFrozen, LimitExceeded, Limits, Withdraw, Withdrawn } from './account.js'
import { open, send } from './commands.js'
import * as composition from './composition.js'
import { stock } from './stock.js'

const accountId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'

test('an account decides with a service, and its rich events survive storage', async () => {
  const limits = new ContainerModule(({ bind }) => void bind(Limits).toConstantValue({ limitOf: async () => 100 }))
  const app = await createApplication({ aggregates: [Account], modules: [limits] })
  const withdraw = (amount: number) => app.commands.execute(new Withdraw({ accountId, amount, purpose: 'rent' }))

  const { events } = await withdraw(60)
  expect(events).toEqual([new Withdrawn(60, 'rent')])
  await expect(withdraw(60)).rejects.toBeInstanceOf(LimitExceeded)
  expect((await withdraw(40)).version).toBe(3)
  expect((await withdraw(1)).events).toEqual([])
  const history = []
  for await (const { event } of app.aggregates.history(Account, accountId)) history.push(event)
  expect(history[2]).toBeInstanceOf(AccountFrozen)
  expect((history[2] as AccountFrozen).until).toBeInstanceOf(Date)
  await app.stop()
})

test('a decider runs on the same engine', async () => {
  const app = await createApplication({ aggregates: [stock] })
  const reserve = (quantity: unknown) =>
    app.commands.execute({ type: 'stock.reserve', data: { productId: 'p-1', quantity } })

  expect((await reserve(60)).version).toBe(1)
  await expect(reserve(60)).rejects.toSatisfy(isDomainError)
  await expect(reserve(0.5)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
  await app.stop()
})

test('commands are sent as the guide sends them', async () => {
  const app = await open()
  const body = { total: 100 }
  const sent = send(app, { id: 'r-1', headers: { 'idempotency-key': 'k-1' }, body })
  await expect(sent).rejects.toMatchObject({ code: 'VERSION_CONFLICT' })
  await app.stop()
})

test('services come from modules, or from a container that stays its owner’s', async () => {
  const { app, ready } = await composition.open()
  expect(ready).toBe(true)
  const yours = await composition.openWithYours()
  for (const one of [app, yours]) {
    const withdrawal = one.commands.execute(new Withdraw({ accountId, amount: 1_001, purpose: 'rent' }))
    await expect(withdrawal).rejects.toBeInstanceOf(LimitExceeded)
    await one.stop()
  }
})
