import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { readSettings, SettingsFaulty } from './settings.js'

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsFaulty) return error.faults
    throw error
  }
  return []
}

test('without settings everything is embedded', () => {
  const embedded = { port: 3000, host: 'localhost', backing: { kind: 'embedded', directory: resolve('.narrative') } }
  expect(readSettings({})).toEqual(embedded)
  expect(readSettings({ NARRATIVE_DATA: '/data' }).backing).toEqual({ kind: 'embedded', directory: resolve('/data') })
  expect(readSettings({ PORT: '', KAFKA_BROKERS: ' ', DATABASE_URL: '' })).toEqual(embedded)
})

test('brokers and a database make it durable', () => {
  const databaseUrl = 'postgres://orders:secret@localhost/orders'
  expect(readSettings({ PORT: '0', KAFKA_BROKERS: 'a:9092, [::1]:9093', DATABASE_URL: databaseUrl })).toEqual({
    port: 0,
    host: 'localhost',
    backing: { kind: 'kafka', brokers: ['a:9092', '[::1]:9093'], databaseUrl },
  })
})

test.each([
  [{ PORT: '80a' }, 'PORT'],
  [{ PORT: '-1' }, 'PORT'],
  [{ PORT: '65536' }, 'PORT'],
  [{ KAFKA_BROKERS: 'a:9092' }, 'DATABASE_URL is not'],
  [{ DATABASE_URL: 'postgres://localhost/orders' }, 'KAFKA_BROKERS is not'],
  [{ KAFKA_BROKERS: 'a', DATABASE_URL: 'postgres://localhost/orders' }, 'KAFKA_BROKERS must'],
  [{ KAFKA_BROKERS: 'a:0,', DATABASE_URL: 'postgres://localhost/orders' }, 'KAFKA_BROKERS must'],
  [{ KAFKA_BROKERS: 'a:9092', DATABASE_URL: 'mysql://localhost/orders' }, 'DATABASE_URL must'],
])('%j is refused with a reason', (environment, reason) => {
  expect(faultsOf(environment as Record<string, string>)[0]).toContain(reason)
})

test('all faults are said at once, and no password is repeated', () => {
  const faults = faultsOf({ PORT: 'x', KAFKA_BROKERS: 'y', DATABASE_URL: 'secret' })
  expect(faults).toHaveLength(3)
  expect(faults.join()).not.toContain('secret')
})
