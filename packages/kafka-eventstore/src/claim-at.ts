// The claim in force at an offset, for a reader that starts in the middle of a partition it knows nothing of.
import type { KafkaDriver } from './driver/kafka-driver.js'
import { parseStamp, stampHeader } from './stamp.js'

/**
 * Looks backwards for the last claim record before `offset`, in windows that double.
 * Owners renew their claims, so there is one within half a day of any event.
 */
export async function claimAt(
  driver: KafkaDriver,
  topic: string,
  partition: number,
  offset: number,
): Promise<string | null> {
  let to = offset
  for (let size = 500; to > 0; size *= 2) {
    const from = Math.max(0, to - size)
    let found: string | null = null
    for (let at = from; at < to; ) {
      const { records, nextOffset } = await driver.fetch({ topic, partition, offset: at, maxBytes, maxWait: 0 })
      for (const record of records) {
        if (record.offset >= to) break
        const stamp = parseStamp(record.header(stampHeader) ?? '')
        if (stamp !== undefined && 'partitions' in stamp) found = stamp.claim
      }
      at = nextOffset
    }
    if (found !== null) return found
    to = from
  }
  return null
}

const maxBytes = 1024 * 1024
