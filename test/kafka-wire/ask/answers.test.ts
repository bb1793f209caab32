import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { describeGroupRequest, describeGroupVersion } from '../../../src/kafka-wire/ask/describe-group.ts'
import { metadataRequest, operationsOf } from '../../../src/kafka-wire/ask/metadata.ts'
import { missingRequests, releaseOf } from '../../../src/kafka-wire/ask/missing-requests.ts'
import type { AnswerReader, ApiVersions, RequestWriter } from '../../../src/kafka-wire/ask/node-connection.ts'

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => RequestWriter & {
  readonly buffer: Buffer
}
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (data: Buffer) => AnswerReader

/** Values as Kafka's protocol writes them, by their types. */
function bytes(
  ...values: readonly (readonly [type: 'int16' | 'int32' | 'string' | 'bool', value: unknown])[]
): Buffer {
  return Buffer.concat(
    values.map(([type, value]) => {
      if (type === 'bool') return Buffer.from([value === true ? 1 : 0])
      if (type === 'string') {
        const text = Buffer.from(String(value))
        return Buffer.concat([bytes(['int16', text.length]), text])
      }
      const buffer = Buffer.alloc(type === 'int16' ? 2 : 4)
      if (type === 'int16') buffer.writeInt16BE(Number(value))
      else buffer.writeInt32BE(Number(value))
      return buffer
    }),
  )
}

test('the metadata request asks for the operations, and creates no topic', () => {
  const writer = new Encoder()
  metadataRequest(['a']).write(writer)
  expect(writer.buffer).toEqual(
    bytes(['int32', 1], ['string', 'a'], ['bool', false], ['bool', true], ['bool', true]),
  )
})

test('the metadata answer is read whole', () => {
  const answer = bytes(
    ...(['int32', 'int32', 'int32'] as const).map((type, i) => [type, [0, 1, 7][i]] as const),
    ['string', 'b1'],
    ['int32', 9092],
    ['string', 'rack'],
    ['string', 'cluster'],
    ['int32', 7],
    ['int32', 1],
    ['int16', 0],
    ['string', 'signals'],
    ['bool', false],
    ['int32', 1],
    ['int16', 0],
    ['int32', 3],
    ['int32', 7],
    ['int32', 42],
    ['int32', 2],
    ['int32', 7],
    ['int32', 8],
    ['int32', 1],
    ['int32', 7],
    ['int32', 0],
    ['int32', (1 << 3) | (1 << 8)],
    ['int32', -(2 ** 31)],
  )
  expect(metadataRequest(['signals']).read(new Decoder(answer))).toEqual({
    nodes: [{ nodeId: 7, host: 'b1', port: 9092 }],
    topics: [
      {
        name: 'signals',
        errorCode: 0,
        partitions: [{ partition: 3, leader: 7, replicas: [7, 8], inSync: [7] }],
        operations: ['READ', 'DESCRIBE'],
      },
    ],
    operations: undefined,
  })
})

test.each([
  [3, [], undefined],
  [4, [['string', 'scorer-1']], 'scorer-1'],
] as const)('version %i of the answer about a group has its members', (version, id, instanceId) => {
  const member = bytes(
    ['string', 'm'],
    ...id,
    ['string', 'c'],
    ['string', '/10.0.0.7'],
    ['int32', 0],
    ['int32', 0],
  )
  const head = bytes(
    ['int32', 0],
    ['int32', 1],
    ['int16', 0],
    ['string', 'g'],
    ['string', 'Stable'],
    ['string', 'consumer'],
    ['string', 'p'],
    ['int32', 2],
  )
  const answer = Buffer.concat([head, member, member, bytes(['int32', 1 << 3])])
  const one = { instanceId, host: '10.0.0.7' }
  expect(describeGroupRequest('g', version).read(new Decoder(answer))).toEqual({
    errorCode: 0,
    state: 'Stable',
    members: [one, one],
    operations: ['READ'],
  })
})

test('the members are asked for with their instance ids if the node can tell them', () => {
  const offered = (maxVersion: number) => ({ 15: { minVersion: 0, maxVersion } })
  expect([3, 4, 6].map(offered).map(describeGroupVersion)).toEqual([3, 4, 4])
})

test('bits that are not given are no permission, and not the lack of one', () => {
  expect(operationsOf(-(2 ** 31))).toBeUndefined()
  expect(operationsOf(0)).toEqual([])
  expect(operationsOf(1 << 12)).toEqual(['IDEMPOTENT_WRITE'])
})

/** What Kafka 4.1 answers, of the requests that are used. */
const KAFKA_4_1: ApiVersions = {
  ...Object.fromEntries(
    [3, 9, 10, 11, 12, 13, 14, 15, 19, 20, 22, 24, 25, 26, 28, 42].map(key => [
      key,
      { minVersion: 0, maxVersion: 5 },
    ]),
  ),
  0: { minVersion: 0, maxVersion: 13 },
  1: { minVersion: 4, maxVersion: 18 },
  2: { minVersion: 1, maxVersion: 11 },
}

test('a node that answers all requests misses none', () => {
  expect(missingRequests(KAFKA_4_1)).toEqual([])
})

test('a node that has dropped a request, or its old versions, misses it', () => {
  const { '11': _, ...rest } = KAFKA_4_1
  expect(missingRequests({ ...rest, 0: { minVersion: 12, maxVersion: 14 } })).toEqual([
    'Produce',
    'JoinGroup',
  ])
})

test.each([
  [13, 18, '4.1'],
  [12, 17, '4.0'],
  [11, 17, '3.9'],
  [11, 16, '3.8'],
  [10, 16, '3.7'],
  [9, 15, '3.5'],
  [8, 11, '2.4'],
  [7, 11, undefined],
])('Produce %i and Fetch %i show Kafka %s', (produce, fetch, release) => {
  const offered = { 0: { minVersion: 0, maxVersion: produce }, 1: { minVersion: 0, maxVersion: fetch } }
  expect(releaseOf(offered)).toBe(release)
})
