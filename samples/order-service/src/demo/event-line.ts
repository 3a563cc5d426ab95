// One event of the log as one line a person can read.
import type { RecordedEvent } from '@narrative/core'
import { bold, cyan, dim } from '../terminal/paint.js'

/** Time, stream, version, name and data. */
export function eventLine({ time, streamId, version, type, data }: RecordedEvent): string {
  const at = new Date(time).toISOString().slice(11, 23)
  const { orderId: _, ...rest } = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>
  const facts = Object.entries(rest).map(([name, value]) => `${dim(`${name}=`)}${show(value)}`)
  return `  ${cyan('│')} ${dim(at)}  ${short(streamId)}  ${bold(`v${version}`)}  ${cyan(type.padEnd(15))}  ${facts.join(' ')}`
}

/** `order-01a1fe1c-c78e-750d-a27e-10f866c65a35` as `order-…66c65a35`: ids made in one second begin alike. */
export function short(id: string): string {
  const hyphen = id.indexOf('-')
  const prefix = /^[0-9a-f]{8}$/.test(id.slice(0, hyphen)) ? '' : id.slice(0, hyphen + 1)
  return `${prefix}…${id.slice(-8)}`
}

function show(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  return `[${value.map(({ quantity, productId }) => `${quantity} ${productId}`).join(', ')}]`
}
