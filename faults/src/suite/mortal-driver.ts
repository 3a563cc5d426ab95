// A driver whose process dies at a named point.
import type { KafkaDriver, RecordBatch } from '@narrative/kafka-eventstore'
import type { KillPoint } from './instance-messages.js'

/** Set by whoever wants the process dead. */
export interface Fate {
  killAt: KillPoint | undefined
}

export function mortalDriver(driver: KafkaDriver, fate: Fate): KafkaDriver {
  const die = () => process.kill(process.pid, 'SIGKILL')
  async function produce(batch: RecordBatch) {
    const events = batch.topic.endsWith('.events')
    if (fate.killAt === 'before send' && events) die()
    if (fate.killAt === 'before routed reply' && batch.topic.endsWith('.replies')) die()
    const outcome = await driver.produce(batch)
    if (fate.killAt === 'before reply' && events && outcome.outcome === 'done') die()
    return outcome
  }
  return new Proxy(driver, {
    get(target, name) {
      if (name === 'produce') return produce
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
