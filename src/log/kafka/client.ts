import net from 'node:net'
import tls from 'node:tls'
import {
  type ISocketFactory,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from 'kafkajs'
import { installHooks } from '../../kafka-wire/hooks/install-hooks.ts'
import { describeError, UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'

export interface KafkaConnection {
  /** Each `host:port`. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly logger: Logger
  readonly tls?: boolean
  readonly sasl?: KafkaSasl
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface KafkaClients {
  /**
   * Makes a client that shares nothing with the others. kafkajs keeps a group's committed offsets in the
   * client: consumers clear them when they join, and transactions write them. So two consumers, or a consumer
   * and a producer, must not share one.
   */
  create(): Kafka
  /**
   * Closes all open connections and refuses new ones. kafkajs's `disconnect` would wait for a silent broker
   * as long as a request may last.
   */
  close(): void
}

const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 15_000
const KEEP_ALIVE_MS = 60_000
const CLOSED = 'the Kafka client was closed'

/** @throws UpswellError INVALID_INSTALLATION: the installed kafkajs is not the known version */
export function kafkaClients(connection: KafkaConnection): KafkaClients {
  installHooksOnce()
  const sockets = trackedSockets()
  const write = oneLine(connection.logger)
  const config: KafkaConfig = {
    clientId: connection.clientId,
    brokers: [...connection.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // The adapter itself retries while brokers are away; here one attempt for each listed broker is enough.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: Math.max(3, connection.brokers.length) },
    socketFactory: sockets.create,
    logLevel: logLevel.WARN,
    logCreator: () => write,
    ...(connection.tls === true ? { ssl: true } : {}),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl as SASLOptions }),
  }
  return { create: () => new Kafka(config), close: sockets.close }
}

/** Before the first client of the process is made. */
function installHooksOnce(): void {
  try {
    installHooks()
  } catch (error) {
    throw new UpswellError('INVALID_INSTALLATION', describeError(error), { cause: error })
  }
}

function trackedSockets(): { readonly create: ISocketFactory; close(): void } {
  const open = new Set<net.Socket>()
  let isClosed = false
  return {
    create: ({ host, port, ssl, onConnect }) => {
      if (isClosed) throw new Error(CLOSED)
      const servername = net.isIP(host) === 0 ? { servername: host } : {}
      const socket = ssl
        ? tls.connect({ host, port, ...servername, ...ssl }, onConnect)
        : net.connect({ host, port }, onConnect)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      // A transaction is nine small requests, each sent after the last answer. Nagle's algorithm would delay
      // them.
      socket.setNoDelay(true)
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      return socket
    },
    close: () => {
      isClosed = true
      // With an error kafkajs fails the requests under way and stops their timers. Otherwise these would keep
      // the process alive.
      for (const socket of open) socket.destroy(new Error(CLOSED))
    },
  }
}

/**
 * Writes kafkajs's structured entries as single lines, for debugging: what a call fails with is thrown too,
 * and the caller reports it, once for an outage.
 */
function oneLine(logger: Logger): (entry: LogEntry) => void {
  return ({ level, namespace, log: { message, error, broker } }) => {
    if (level > logLevel.WARN) return
    const line = `${namespace}: ${message}`
    const about = [broker, error].filter(detail => typeof detail === 'string' && !line.includes(detail))
    logger.debug?.(`kafka client: ${[line, ...about].join(' · ')}`)
  }
}
