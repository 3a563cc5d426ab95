// What the guide to testing shows, as tests that run.
import { at, given } from '@narrative/testing'
import { expect, test } from 'vitest'
import { Account, AccountFrozen, LimitExceeded, Limits, Withdraw, Withdrawn } from './account.js'
import { stock } from './stock.js'

// #region given
const accountId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'
const withdraw = (amount: number) => new Withdraw({ accountId, amount, purpose: 'rent' })

const limits: Limits = { limitOf: async () => 100 }
const account = () => given(Account, { clock: at('2026-12-24T18:00:00Z'), services: [[Limits, limits]] })

test('the limit counts what was withdrawn before', () =>
  account().events(new Withdrawn(60, 'food')).when(withdraw(41)).thenRejects(LimitExceeded))

test('reaching the limit freezes the account for a day', () =>
  account()
    .when(withdraw(100))
    .then(new Withdrawn(100, 'rent'), new AccountFrozen(new Date('2026-12-25T18:00:00Z'))))

test('a frozen account gives nothing', () =>
  account()
    .events(new AccountFrozen(new Date('2026-12-31T00:00:00Z')))
    .when(withdraw(1))
    .thenNothing())

test('what is not acceptable is rejected before it is decided', () =>
  account().when(withdraw(0.5)).thenRejects('COMMAND_INVALID'))
// #endregion

// #region state
test('a withdrawal is remembered', () =>
  account()
    .when(withdraw(40))
    .thenState((state) => expect(state).toMatchObject({ withdrawn: 40 })))
// #endregion

// #region decider
test('a decider is tested in the same words', () =>
  given(stock)
    .events({ type: 'stock.reserved', data: { quantity: 99 } })
    .when({ type: 'stock.reserve', data: { productId: 'p-1', quantity: 2 } })
    .thenRejects('stock.short'))
// #endregion
