// The server.properties of a one-node broker for tests.

/** What differs between brokers. */
export interface KafkaLayout {
  readonly dataDirectory: string
  readonly port: number
  readonly controllerPort: number
  /** A listener that tells clients to come back through `advertised`. */
  readonly proxied?: { readonly port: number; readonly advertised: number }
  /** A listener that asks for a user name and a password (SASL_PLAINTEXT, PLAIN). */
  readonly sasl?: { readonly port: number; readonly username: string; readonly password: string }
  /** Any other server property; wins over those set here. */
  readonly settings?: Readonly<Record<string, string>>
}

const host = '127.0.0.1'

/** Everything else is Kafka's default: what is measured on this broker is what a broker does. */
export function kafkaProperties(layout: KafkaLayout): string {
  const listeners = [
    { name: 'PLAINTEXT', port: layout.port, advertised: layout.port, protocol: 'PLAINTEXT' },
    ...(layout.proxied ? [{ name: 'PROXIED', ...layout.proxied, protocol: 'PLAINTEXT' }] : []),
    ...(layout.sasl
      ? [{ name: 'SASL', port: layout.sasl.port, advertised: layout.sasl.port, protocol: 'SASL_PLAINTEXT' }]
      : []),
  ]
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${host}:${layout.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [
      ...listeners.map(({ name, port }) => `${name}://${host}:${port}`),
      `CONTROLLER://${host}:${layout.controllerPort}`,
    ].join(','),
    'advertised.listeners': listeners.map(({ name, advertised }) => `${name}://${host}:${advertised}`).join(','),
    'listener.security.protocol.map': [
      ...listeners.map(({ name, protocol }) => `${name}:${protocol}`),
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'log.dirs': layout.dataDirectory,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    // After a kill the broker may not come back before its old registration has expired: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // The default buffer of 128 MB would be most of a small heap.
    'log.cleaner.dedupe.buffer.size': '4194304',
    ...(layout.sasl ? saslProperties(layout.sasl) : {}),
    ...layout.settings,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}

function saslProperties({ username, password }: { username: string; password: string }): Record<string, string> {
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  return {
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl.plain.sasl.jaas.config': `${login} user_${username}="${password}";`,
  }
}
