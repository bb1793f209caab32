import { connectBroker } from '../hooks/connect-broker.ts'
import { internal } from '../hooks/internals.ts'
import {
  type KafkaCluster,
  READ_COMMITTED,
  type RequestDefinitions,
  type Throttling,
} from '../hooks/kafkajs-cluster.ts'
import { decodeFetchAnswer, type FetchAnswer } from './fetch-answer.ts'

/** Where a fetch begins, and how much it asks for. */
export interface FetchRange {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The first batch comes whole even if it is larger. */
  readonly maxBytes: number
  /** The broker answers once it has this many bytes, or `maxWaitMs` have passed. */
  readonly minBytes: number
  readonly maxWaitMs: number
}

/**
 * A connection to one node, for one fetch at a time. Fetches have a connection of their own: a broker answers
 * a connection's requests in order, and a fetch may wait for records.
 */
export interface FetchConnection {
  fetch(range: FetchRange): Promise<FetchAnswer>
  /** Closes the connection once the request under way is answered. */
  close(): void
}

const FETCH_KEY = 1

/**
 * Opens a new connection to a node of the cluster. kafkajs connects, authenticates and encodes the requests.
 * The answers are decoded here, since kafkajs makes some twenty objects of a record.
 */
export async function openFetchConnection(cluster: KafkaCluster, nodeId: string): Promise<FetchConnection> {
  const known = await cluster.findBroker({ nodeId })
  const { host, port, rack } = known.connectionPool
  const connectionPool = await cluster.connectionPoolBuilder.build({ host, port, rack })
  const broker = new known.constructor({
    connectionPool,
    logger: known.rootLogger,
    nodeId,
    authenticationTimeout: known.authenticationTimeout,
    versions: known.versions,
  })
  const fetchRequests = internal<RequestDefinitions<object>>('protocol/requests/fetch/index.js')
  const close = await connectBroker(broker)
  return {
    close,
    async fetch(range) {
      const { request, requestTimeout } = broker.lookupRequest(FETCH_KEY, fetchRequests)(requestOf(range))
      // The pool's own `send` would open its second connection for fetches.
      const connection = await connectionPool.getConnection(0)
      return connection.send({
        request,
        ...(requestTimeout === undefined ? {} : { requestTimeout }),
        response: {
          decode: async (data: Buffer): Promise<Decoded> => {
            const answer = decodeFetchAnswer(data, request.apiVersion)
            return { answer, clientSideThrottleTime: clientThrottleMs(answer, request.apiVersion) }
          },
          parse: async ({ answer }: Decoded) => answer,
        },
      })
    },
  }
}

interface Decoded extends Throttling {
  readonly answer: FetchAnswer
}

/** Before version 8 the broker itself has already held the answer back. */
function clientThrottleMs({ throttleMs }: FetchAnswer, version: number): number {
  return version >= 8 ? throttleMs : 0
}

/** kafkajs adds the values for "no fetch session": session 0, epoch −1. */
function requestOf({ topic, partition, offset, maxBytes, maxWaitMs, minBytes }: FetchRange): object {
  return {
    isolationLevel: READ_COMMITTED,
    maxWaitTime: maxWaitMs,
    minBytes,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
  }
}
