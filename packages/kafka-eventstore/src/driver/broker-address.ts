// Addresses of brokers, as people write them and as the cluster tells them.
import { NarrativeError } from '@narrative/core'

/** A broker as clients reach it. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** `host:port`, with brackets around an IPv6 host. */
export function formatAddress({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads `host:port` or `[ipv6]:port`.
 *
 * @throws NarrativeError `BROKER_REFUSED` when it is neither
 */
export function parseAddress(text: string): BrokerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim())
  if (match) return { host: (match[1] ?? match[2])!, port: Number(match[3]) }
  const message = `'${text}' is not the address of a Kafka broker: write host:port, such as localhost:9092.`
  throw new NarrativeError('BROKER_REFUSED', { message, details: { address: text } })
}

/** Keeps one thing per broker, made when it is first asked for. */
export function perBroker<T>(make: (address: BrokerAddress) => T): (address: BrokerAddress) => T {
  const made = new Map<string, T>()
  return (address) => {
    const key = formatAddress(address)
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = make(address)
    made.set(key, fresh)
    return fresh
  }
}
