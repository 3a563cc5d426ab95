// The server.properties of a broker for tests, alone or one of a cluster.

/** What differs between brokers. */
export interface KafkaLayout {
  readonly dataDirectory: string
  readonly port: number
  readonly controllerPort: number
  /** Listeners that tell clients to come back through `advertised`, each a port of its own. */
  readonly proxied?: readonly { readonly port: number; readonly advertised: number }[]
  /** A listener that asks for a user name and a password (SASL_PLAINTEXT, PLAIN). */
  readonly sasl?: { readonly port: number; readonly username: string; readonly password: string }
  /** Its id, and the controllers' ports by node id, when it is one of several. */
  readonly cluster?: { readonly node: number; readonly controllerPorts: readonly number[] }
  /** Any other server property; wins over those set here. */
  readonly settings?: Readonly<Record<string, string>>
}

const host = '127.0.0.1'

const alone = {
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // After a kill the broker may not come back before its old registration has expired: 9 s by default.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
}

/** As in service: topics without wishes of their own survive the loss of any one broker. */
const replicated = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  'share.coordinator.state.topic.replication.factor': '3',
  'share.coordinator.state.topic.min.isr': '2',
}

/** Everything else is Kafka's default: what is measured on this broker is what a broker does. */
export function kafkaProperties(layout: KafkaLayout): string {
  const listeners = [
    { name: 'PLAINTEXT', port: layout.port, advertised: layout.port, protocol: 'PLAINTEXT' },
    ...(layout.proxied ?? []).map((ports, at) => ({ name: `PROXIED${at}`, ...ports, protocol: 'PLAINTEXT' })),
    ...(layout.sasl
      ? [{ name: 'SASL', port: layout.sasl.port, advertised: layout.sasl.port, protocol: 'SASL_PLAINTEXT' }]
      : []),
  ]
  const { node, controllerPorts } = layout.cluster ?? { node: 1, controllerPorts: [layout.controllerPort] }
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node),
    'controller.quorum.voters': controllerPorts.map((port, at) => `${at + 1}@${host}:${port}`).join(','),
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
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...(layout.cluster ? replicated : alone),
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
