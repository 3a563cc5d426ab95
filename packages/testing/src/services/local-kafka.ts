// A Kafka broker of one's own from its published jars: it can be killed, restarted, proxied and asked for a password.
import type { Logger } from '@narrative/core'
import { freePort } from './free-port.js'
import { kafkaId, kafkaRuntime, LocalKafkaNode } from './kafka-node.js'
import type { KafkaLayout } from './kafka-properties.js'
import { announced } from './progress.js'
import { onFreePorts } from './run-supervised.js'

const host = '127.0.0.1'

/** What a broker of one's own is asked for. */
export interface KafkaBrokerOptions {
  /**
   * Port of a TCP proxy on 127.0.0.1. The broker gets one more listener that sends clients to that port; let the proxy
   * pass on to {@link KafkaBroker.proxyTarget}.
   */
  readonly proxyPort?: number
  /** One more listener, SASL_PLAINTEXT with PLAIN, that only this user passes. */
  readonly sasl?: { readonly username: string; readonly password: string }
  /** Server properties, such as `{ 'message.max.bytes': '100000' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A broker of one's own. */
export interface KafkaBroker {
  /** `host:port`, for clients without credentials. */
  readonly brokers: string[]
  /** Local jars: no other source lets a test kill the broker. */
  readonly source: 'local'
  /** Port of the listener behind the proxy, when `proxyPort` was given. */
  readonly proxyTarget: number | undefined
  /** `host:port` of the listener that asks for a password, when `sasl` was given. */
  readonly saslBrokers: string[] | undefined
  /** Ends the broker's process and resolves when it is gone; its data stays. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops the broker when it runs, starts it again on the same ports and data, and resolves when it answers. */
  restart(): Promise<void>
  /** Stops it for good and removes its data. */
  stop(): Promise<void>
}

/** Starts a broker; throws a plain sentence when this machine has not what it takes. */
export async function startLocalKafka(options: KafkaBrokerOptions, logger: Logger): Promise<KafkaBroker> {
  const node = await LocalKafkaNode.open(await kafkaRuntime(logger), kafkaId(), '512m')
  try {
    const layout = await onFreePorts([node.service], async () => {
      const layout = await layOut(options, node.dataDirectory)
      const starting = `Starting Kafka from its jars on ${host}:${layout.port}`
      await announced(logger, starting, 8_000, () => node.start(layout, 1))
      return layout
    })
    return {
      brokers: [`${host}:${layout.port}`],
      source: 'local',
      proxyTarget: layout.proxied?.[0]?.port,
      saslBrokers: layout.sasl && [`${host}:${layout.sasl.port}`],
      kill: (signal = 'SIGKILL') => node.kill(signal),
      restart: () => node.restart(),
      stop: () => node.close(),
    }
  } catch (error) {
    await node.close()
    throw error
  }
}

async function layOut({ proxyPort, sasl, settings }: KafkaBrokerOptions, dataDirectory: string): Promise<KafkaLayout> {
  return {
    dataDirectory,
    port: await freePort(),
    controllerPort: await freePort(),
    proxied: proxyPort === undefined ? [] : [{ port: await freePort(), advertised: proxyPort }],
    sasl: sasl && { port: await freePort(), ...sasl },
    settings,
  }
}
