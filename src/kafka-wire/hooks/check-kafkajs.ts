import { Kafka } from 'kafkajs'
import { TopicRecords } from '../produce/topic-records.ts'
import { installedVersion, internal } from './internals.ts'
import { CREATE_CLUSTER, createCluster } from './kafkajs-cluster.ts'

const KNOWN_VERSION = '2.2.4'

/** The installed kafkajs is not the one whose internals the hooks were written for. */
export class UnknownKafkajsError extends Error {
  override readonly name = 'UnknownKafkajsError'
}

/** One internal of kafkajs that is used here. */
export interface Hook {
  readonly name: string
  readonly expected: string
  /** Describes what the installed kafkajs has. A throw counts as a difference. */
  readonly find: () => string
}

/**
 * Compares the installed kafkajs with the version that the hooks were written for, and each hook with its
 * shape there.
 * @throws UnknownKafkajsError one error that lists all differences
 */
export function requireKnownKafkajs(version = installedVersion(), hooks: readonly Hook[] = HOOKS): void {
  const differences = hooks.flatMap(({ name, expected, find }) => {
    const found = attempt(find)
    return found === expected ? [] : [`  ${name}: expected ${expected}, found ${found}`]
  })
  if (version === KNOWN_VERSION && differences.length === 0) return
  const summary =
    differences.length === 0
      ? 'All internals in use have the same shape, but nobody has checked that they behave the same.'
      : `These internals differ:\n${differences.join('\n')}`
  throw new UnknownKafkajsError(
    `kafkajs ${version} is installed, but this program uses internals of version ${KNOWN_VERSION}. ${summary}\n` +
      `Install that version: npm i kafkajs@${KNOWN_VERSION}`,
  )
}

function attempt(find: () => string): string {
  try {
    return find()
  } catch (error) {
    return `an error (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`
  }
}

/** Each internal, by module of `kafkajs/src` and path in it; a function with its number of parameters. */
const MEMBERS: readonly (readonly [module: string, member: string, expected: string])[] = [
  ['network/requestQueue/index.js', 'prototype.scheduleCheckPendingRequests', 'function/0'],
  ['protocol/requests/produce/index.js', 'protocol', 'function/1'],
  ['protocol/requests/fetch/index.js', 'protocol', 'function/1'],
  ['protocol/requests/fetch/index.js', 'versions', 'array'],
  ['protocol/requests/joinGroup/index.js', 'versions.5', 'string'],
  ['protocol/requests/syncGroup/index.js', 'versions.3', 'string'],
  ['protocol/requests/heartbeat/index.js', 'versions.3', 'string'],
  ['protocol/requests/leaveGroup/index.js', 'versions.3', 'string'],
  ['protocol/error.js', 'createErrorFromCode', 'function/1'],
  ['protocol/encoder.js', 'prototype.writeInt32', 'function/1'],
  ['protocol/encoder.js', 'prototype.writeString', 'function/1'],
  ['protocol/encoder.js', 'prototype.writeBoolean', 'function/1'],
  ['protocol/encoder.js', 'prototype.writeArray', 'function/3'],
  ['protocol/decoder.js', 'prototype.readInt16', 'function/0'],
  ['protocol/decoder.js', 'prototype.readInt32', 'function/0'],
  ['protocol/decoder.js', 'prototype.readString', 'function/0'],
  ['protocol/decoder.js', 'prototype.readBytes', 'function/0'],
  ['protocol/decoder.js', 'prototype.readBoolean', 'function/0'],
  ['protocol/decoder.js', 'prototype.readArray', 'function/1'],
  ['cluster/index.js', 'prototype.connect', 'async function/0'],
  ['cluster/index.js', 'prototype.disconnect', 'async function/0'],
  ['cluster/index.js', 'prototype.addTargetTopic', 'async function/1'],
  ['cluster/index.js', 'prototype.refreshMetadata', 'async function/0'],
  ['cluster/index.js', 'prototype.findLeaderForPartitions', 'function/2'],
  ['cluster/index.js', 'prototype.findBroker', 'async function/1'],
  ['cluster/index.js', 'prototype.findGroupCoordinator', 'async function/1'],
  ['broker/index.js', 'prototype.connect', 'async function/0'],
  ['broker/index.js', 'prototype.disconnect', 'async function/0'],
  ['broker/index.js', 'prototype.joinGroup', 'async function/1'],
  ['broker/index.js', 'prototype.syncGroup', 'async function/1'],
  ['broker/index.js', 'prototype.heartbeat', 'async function/1'],
  ['broker/index.js', 'prototype.leaveGroup', 'async function/1'],
  ['network/connectionPool.js', 'prototype.getConnection', 'async function/0'],
  ['network/connection.js', 'prototype.send', 'async function/1'],
]

const HOOKS: readonly Hook[] = [
  ...MEMBERS.map(([module, member, expected]) => ({
    name: `kafkajs/src/${module} ${member}`,
    expected,
    find: () => describe(memberAt(internal(module), member)),
  })),
  {
    name: 'network/requestQueue/index.js: a new queue has the list `pending`',
    expected: 'array',
    find: () => {
      const Queue = internal<new (options: object) => { readonly pending: unknown }>(
        'network/requestQueue/index.js',
      )
      return describe(new Queue({}).pending)
    },
  },
  {
    name: `a client has a function under the symbol ${CREATE_CLUSTER}; its clusters build connection pools`,
    expected: 'async function/0',
    find: () => describe(makeCluster().connectionPoolBuilder.build),
  },
  {
    name: 'broker/index.js: the fields of a new broker',
    expected: 'connectionPool,rootLogger,versions,authenticationTimeout,lookupRequest',
    find: () => {
      const Broker = internal<new (options: object) => object>('broker/index.js')
      const { rootLogger: logger } = makeCluster()
      const fields = Object.keys(new Broker({ connectionPool: {}, logger }))
      return fields.filter(field => BROKER_FIELDS.has(field)).join()
    },
  },
  {
    name: 'protocol/requests/produce/index.js: a request of version 7 encodes itself',
    expected: 'async function/0',
    find: () => {
      const { protocol } = internal<{ protocol(options: object): (request: object) => unknown }>(
        'protocol/requests/produce/index.js',
      )
      return describe(memberAt(protocol({ version: 7 })({ topicData: [] }), 'request.encode'))
    },
  },
  {
    name: 'producer/groupMessagesPerPartition.js: leaves the grouping to the list of messages',
    expected: '1 question for 2 records, grouped as placed',
    find: groupTwoRecords,
  },
]

const BROKER_FIELDS: ReadonlySet<string> = new Set([
  'connectionPool',
  'rootLogger',
  'versions',
  'authenticationTimeout',
  'lookupRequest',
])

/** It is not connected to anything. */
function makeCluster() {
  return createCluster(new Kafka({ brokers: ['localhost:9092'] }), {})
}

function groupTwoRecords(): string {
  const group = internal<(sending: object) => object>('producer/groupMessagesPerPartition.js')
  const messages = new TopicRecords('t')
  messages.add({ topic: 't', partition: 1, key: null, value: 'a' })
  messages.add({ topic: 't', partition: 1, key: null, value: 'b' })
  let questions = 0
  const partitioner = (asked: { readonly message: unknown }): number => {
    questions++
    if (asked.message === messages)
      messages.place(
        record => record.partition!,
        () => 0,
      )
    return 0
  }
  const groups = group({ topic: 't', partitionMetadata: [{}], messages, partitioner }) as Record<
    number,
    object[]
  >
  const isPlaced = groups[1]?.length === 2
  return `${questions} question for 2 records, ${isPlaced ? '' : 'not '}grouped as placed`
}

function memberAt(value: unknown, path: string): unknown {
  let found = value
  for (const name of path.split('.')) found = (found as Record<string, unknown> | undefined)?.[name]
  return found
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'array'
  if (typeof value !== 'function') return typeof value
  const kind = value.constructor.name === 'AsyncFunction' ? 'async function' : 'function'
  return `${kind}/${value.length}`
}
