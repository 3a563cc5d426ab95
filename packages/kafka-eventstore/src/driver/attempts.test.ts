import { expect, test } from 'vitest'
import { firstAnswer, orAborted, repeatUntil } from './attempts.js'
import { ConnectionFailure, ProtocolFailure } from './broker-failure.js'

const never = new Promise<never>(() => {})
const lost = new ConnectionFailure(false, 'lost')

test('a passing failure is followed by another attempt, once what is stale was forgotten', async () => {
  const log: string[] = []
  const bounds = { within: 5_000, signals: [], onPassing: () => log.push('forget') }
  const answer = await repeatUntil(bounds, async () => {
    log.push('try')
    if (log.length === 1) throw lost
    if (log.length === 3) throw new ProtocolFailure(6, 'NOT_LEADER_OR_FOLLOWER', 'moved')
    return 'done'
  })
  expect(answer).toBe('done')
  expect(log).toEqual(['try', 'forget', 'try', 'forget', 'try'])
})

test('a refusal is final, and a passing failure is after its time', async () => {
  const refused = new ProtocolFailure(29, 'TOPIC_AUTHORIZATION_FAILED', 'no')
  await expect(repeatUntil({ within: 5_000, signals: [] }, () => Promise.reject(refused))).rejects.toBe(refused)
  await expect(repeatUntil({ within: 50, signals: [] }, () => Promise.reject(lost))).rejects.toBe(lost)
})

test('a signal ends an attempt and a pause with its reason', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const bounds = { within: 5_000, signals: [stop.signal] }
  const waiting = repeatUntil(bounds, () => never)
  const pausing = repeatUntil(bounds, () => Promise.reject(lost))
  setImmediate(() => stop.abort(reason))
  await expect(waiting).rejects.toBe(reason)
  await expect(pausing).rejects.toBe(reason)
  await expect(orAborted(never, [stop.signal])).rejects.toBe(reason)
})

test('the next candidate is asked when one fails, and when one is silent', async () => {
  const asked: string[] = []
  const ask = async (name: string) => {
    asked.push(name)
    if (name === 'down') throw lost
    return name === 'silent' ? never : name
  }
  expect(await firstAnswer(['down', 'silent', 'up', 'spare'], 10, ask)).toBe('up')
  expect(asked).toEqual(['down', 'silent', 'up'])
})

test('when all fail, every failure is told in the order of the candidates', async () => {
  const failing = firstAnswer([1, 2, 3], 1_000, (n) => Promise.reject(new Error(`no ${n}`)))
  await expect(failing).rejects.toMatchObject({ errors: [1, 2, 3].map((n) => new Error(`no ${n}`)) })
})
