import { describe, expect, test } from 'vitest'
import type { Replay } from '../../src/consumers/lineage/replay-record.ts'
import { deadLetterRecord } from '../../src/log/output-records.ts'
import {
  modelsRecord,
  promotionRecord,
  replayRecord,
  signalRecord,
  tickRecord,
} from '../../src/log/signals-topic-records.ts'
import {
  CHECKPOINTS,
  OUTPUT_TOPICS,
  SOURCE_TOPICS,
  TOPIC_ROLES,
  topicNames,
} from '../../src/log/topic-names.ts'
import { REJECTION_CODES } from '../../src/signals/rejection.ts'
import { MODELS } from '../support/pipeline-input.ts'
import {
  ASYNCAPI,
  compileMessage,
  compileSchema,
  resolveReference,
  SCHEMAS,
  withoutReferences,
} from './published-schemas.ts'

const CHANNELS = Object.values(ASYNCAPI.channels)
const OPERATIONS = Object.values(ASYNCAPI.operations)
const { messages: MESSAGES, schemas: COMPONENTS } = ASYNCAPI.components

describe('asyncapi.yaml', () => {
  test('follows AsyncAPI 3.0', () => {
    expect(ASYNCAPI.asyncapi).toBe('3.0.0')
    expect(ASYNCAPI.info).toMatchObject({
      title: 'Upswell',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    })
  })

  test('has a channel for every public topic, and no other', () => {
    const roles = TOPIC_ROLES.filter(role => role !== CHECKPOINTS)
    expect(CHANNELS.map(({ address }) => address).sort()).toEqual([...roles].sort())
  })

  test('has an operation for every topic that is read or written', () => {
    const addressesOf = (action: string) =>
      OPERATIONS.filter(operation => operation.action === action)
        .map(
          ({ channel }) =>
            (resolveReference(channel.$ref, 'asyncapi.yaml').value as { address: string }).address,
        )
        .sort()
    expect(addressesOf('receive')).toEqual([...Object.keys(SOURCE_TOPICS), 'signals'].sort())
    expect(addressesOf('send')).toEqual([...OUTPUT_TOPICS, 'signals'].sort())
  })

  test('has no broken reference and no unused component', () => {
    const pointedTo = new Set<string>()
    for (const [file, document] of [['asyncapi.yaml', ASYNCAPI] as const, ...SCHEMAS]) {
      for (const reference of referencesIn(document)) {
        resolveReference(reference, file)
        pointedTo.add(reference)
      }
    }
    expect(pointedTo.size).toBeGreaterThan(40)
    for (const name of Object.keys(MESSAGES)) expect(pointedTo).toContain(`#/components/messages/${name}`)
    for (const name of Object.keys(COMPONENTS)) expect(pointedTo).toContain(`#/components/schemas/${name}`)
    for (const file of SCHEMAS.keys())
      expect(
        [...pointedTo].some(each => each.startsWith(`./${file}`)),
        file,
      ).toBe(true)
  })

  test('has valid schemas', () => {
    for (const name of Object.keys(COMPONENTS)) compileSchema(withoutReferences(COMPONENTS[name]) as object)
  })

  test('describes the records that Upswell writes into the log', () => {
    const signal = {
      id: 'e-1',
      kind: 'usage',
      name: 'report.exported',
      accountId: 'acme',
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: 1,
    } as const
    const headersOf = (message: string) => compileMessage(message, 'headers')
    const payloadOf = (message: string) => compileMessage(message, 'payload')
    const tick = tickRecord('signals', 0, 1, { slice: 0, of: 2, scope: 'due', clock: 'wall' })
    expect(headersOf('tick')(tick.headers)).toBe(true)
    expect(payloadOf('tick')(JSON.parse(String(tick.value)))).toBe(true)
    const models = modelsRecord('signals', 0, 1, MODELS)
    expect(headersOf('models')(models.headers)).toBe(true)
    expect(payloadOf('models')(JSON.parse(String(models.value)))).toBe(true)
    const promotion = promotionRecord('signals', 0, 1, { namespace: 'default/v2', replacedModels: ['a'] })
    expect(headersOf('promotion')(promotion.headers)).toBe(true)
    expect(payloadOf('promotion')(JSON.parse(String(promotion.value)))).toBe(true)
    const replay: Replay = {
      name: 'v2',
      origin: { topic: 'signals', partitions: 4, namespace: 'default' },
      from: null,
      to: 1,
      models: MODELS,
    }
    const first = replayRecord('v2.signals', 0, 1, replay)
    expect(headersOf('replay')(first.headers)).toBe(true)
    expect(payloadOf('replay')(JSON.parse(String(first.value)))).toBe(true)
    for (const clock of ['event', 'wall'] as const)
      expect(headersOf('signal')(signalRecord('signals', signal, 1, clock).headers)).toBe(true)
    expect(headersOf('signal')(tick.headers)).toBe(false)
  })

  test('lists every reason for dead-letter, and the headers', () => {
    const { properties } = COMPONENTS['deadLetterHeaders'] as {
      properties: Record<string, { enum?: unknown }>
    }
    expect(properties['upswell-reason']!.enum).toEqual(REJECTION_CODES)
    const isValid = compileMessage('deadLetter', 'headers')
    const { headers } = deadLetterRecord(
      topicNames(''),
      {
        topic: 'product-usage',
        partition: 3,
        offset: 12,
        timestamp: 1_790_000_000_000,
        key: null,
        value: null,
        headers: {},
        headerList: [],
      },
      { code: 'not-json', detail: 'the value is empty' },
    )
    isValid(headers)
    expect(isValid.errors ?? []).toEqual([])
    expect(Object.keys(headers!).sort()).toEqual(Object.keys(properties).sort())
  })
})

function* referencesIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  for (const [key, inner] of Object.entries(node)) {
    if (key === '$ref' && typeof inner === 'string') yield inner
    else yield* referencesIn(inner)
  }
}
