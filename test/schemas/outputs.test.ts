import { beforeAll, describe, expect, test } from 'vitest'
import type { OutgoingRecord } from '../../src/consumers/log.ts'
import { accountScoresRecord, eventRecord } from '../../src/consumers/outputs.ts'
import { topicNames } from '../../src/consumers/topics.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { sampleHistory } from '../../src/sample/history.ts'
import { MOTIONS } from '../../src/scoring/model-definition.ts'
import { DAY_MS } from '../../src/scoring/time.ts'
import { foldHistory } from '../support/fold-history.ts'
import { MODELS } from '../support/pipeline-input.ts'
import { compileMessage, compileSchema, SCHEMAS } from './published-schemas.ts'

const UNTIL = Date.parse('2026-03-04T15:00:00Z')
const TOPICS = topicNames('')

interface Value {
  readonly id: string
  readonly modelId?: string
  readonly status?: string
  readonly cause?: { readonly type: string; readonly signalId?: string }
}

describe('what comes out of the sample history', () => {
  let records: Record<'tier-changes' | 'pql-events' | 'account-scores', OutgoingRecord[]>
  const values = (topic: keyof typeof records): Value[] =>
    records[topic].map(({ value }) => JSON.parse(String(value)))

  beforeAll(() => {
    const models = new ModelLibrary().compileAll(MODELS).map(({ definition }) => definition)
    const signals = sampleHistory({ seed: 3, accounts: 60, days: 90, until: UNTIL })
    // At last one model goes, and its leads with it.
    const { events, accounts } = foldHistory([
      [
        { timestamp: signals[0]!.occurredAt, models },
        ...signals.map(signal => ({ timestamp: signal.occurredAt, signal })),
        { timestamp: UNTIL + 20 * DAY_MS, tick: true },
        { timestamp: UNTIL + 20 * DAY_MS, models: models.filter(({ id }) => id === 'rolling-score') },
      ],
    ])
    const eventRecords = events.map((event, i) => eventRecord(TOPICS, event, `3:${i}`))
    const ofTopic = (name: string) => eventRecords.filter(({ topic }) => topic === name)
    records = {
      'tier-changes': ofTopic('tier-changes'),
      'pql-events': ofTopic('pql-events'),
      'account-scores': [...accounts.values()].map(account => accountScoresRecord(TOPICS, account, '3:7')),
    }
  })

  test('shows what the schemas are about', () => {
    expect(records['tier-changes'].length).toBeGreaterThan(200)
    expect(records['account-scores']).toHaveLength(60)
    expect(new Set(values('tier-changes').map(({ modelId }) => modelId))).toEqual(
      new Set(['expansion-revenue-score', 'rolling-score']),
    )
    const statuses = values('pql-events').map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set(['qualified', 'held', 'released', 'disqualified', 'expired']))
    const causes = [...values('tier-changes'), ...values('pql-events')].map(({ cause }) => cause?.type)
    expect(new Set(causes)).toEqual(new Set(['signal', 'window', 'model', 'gate']))
  })

  test.each([
    ['tier-changes', 'tier-change.schema.json', 'tierChange'],
    ['pql-events', 'pql-event.schema.json', 'pqlEvent'],
    ['account-scores', 'account-scores.schema.json', 'accountScores'],
  ] as const)('%s keep to %s and to the headers of asyncapi.yaml', (topic, schema, message) => {
    const validValue = compileSchema(schema)
    const validHeaders = compileMessage(message, 'headers')
    for (const { key, value, headers } of records[topic]) {
      const parsed = JSON.parse(String(value))
      validValue(parsed)
      expect(validValue.errors ?? [], String(value)).toEqual([])
      validHeaders(headers)
      expect(validHeaders.errors ?? [], JSON.stringify(headers)).toEqual([])
      expect(key).toBe(parsed.accountId)
      expect(headers).toMatchObject({
        ce_id: parsed.id,
        ce_subject: parsed.accountId,
        ce_time: parsed.at,
        ...(topic === 'pql-events' ? { ce_type: `com.upswell.pql.${parsed.status}.v1` } : {}),
      })
      if (topic !== 'account-scores') expect(headers!['ce_causationid']).toBe(parsed.cause.signalId)
    }
  })

  test.each(['tier-change.schema.json', 'pql-event.schema.json', 'account-scores.schema.json'])(
    '%s allows no field that it does not name, and misses none that it does',
    schema => {
      const valid = compileSchema(schema)
      const topic = `${schema.replace(/s?\.schema\.json$/, '')}s` as keyof typeof records
      const value = values(topic)[0]!
      expect(valid(value)).toBe(true)
      expect(valid({ ...value, more: 1 })).toBe(false)
      for (const field of Object.keys(value)) {
        const { [field]: _, ...rest } = value as unknown as Record<string, unknown>
        expect(valid(rest), `without ${field}`).toBe(false)
      }
    },
  )

  test('ids are unique, and so are those of accounts in one topic', () => {
    for (const topic of ['tier-changes', 'pql-events', 'account-scores'] as const) {
      const ids = values(topic).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
})

describe('the published schemas', () => {
  test('are valid, by the name of their file', () => {
    expect([...SCHEMAS.keys()]).toEqual([
      'account-scores.schema.json',
      'pql-event.schema.json',
      'signal.schema.json',
      'tier-change.schema.json',
    ])
    for (const [file, schema] of SCHEMAS) {
      expect(schema['$id']).toBe(file)
      expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema')
      compileSchema(file)
    }
  })

  test('say the same of a cause, an id and a time', () => {
    const definitions = [...SCHEMAS.values()].map(({ $defs }) => $defs as Record<string, object>)
    for (const name of ['cause', 'id', 'time']) {
      const found = definitions.map(each => each[name]).filter(each => each !== undefined)
      expect(found).toHaveLength(3)
      expect(new Set(found.map(each => JSON.stringify(each))).size).toBe(1)
    }
  })

  test('list the motions of scoring models', () => {
    expect(SCHEMAS.get('pql-event.schema.json')).toMatchObject({ properties: { motion: { enum: MOTIONS } } })
  })
})
