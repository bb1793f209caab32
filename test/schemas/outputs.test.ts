import { beforeAll, describe, expect, test } from 'vitest'
import { accountScoresRecord } from '../../src/log/account-scores-record.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { eventRecord } from '../../src/log/output-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { MOTIONS, PRIORITIES } from '../../src/scoring/definition/model-definition.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { DAY_MS } from '../../src/signals/time.ts'
import { foldHistory } from '../support/fold-history.ts'
import { MODELS } from '../support/pipeline-input.ts'
import { compileMessage, compileSchema, SCHEMAS } from './published-schemas.ts'

const UNTIL = Date.parse('2026-03-04T15:00:00Z')
const TOPICS = topicNames('')
/** Properties that a model may leave out. */
const OPTIONAL = ['queue', 'offer', 'confidence', 'estimatedValue']

interface Value {
  readonly id: string
  readonly modelId?: string
  readonly status?: string
  readonly cause?: { readonly type: string; readonly signalId?: string }
}

describe('the outputs of the sample history', () => {
  let records: Record<'tier-changes' | 'pql-events' | 'account-scores', OutgoingRecord[]>
  const values = (topic: keyof typeof records): Value[] =>
    records[topic].map(({ value }) => JSON.parse(String(value)))

  beforeAll(() => {
    const models = new ModelLibrary().compileAll(MODELS).map(({ definition }) => definition)
    const signals = sampleHistory({ seed: 3, accounts: 60, days: 90, until: UNTIL })
    // In the end one model is removed, and its leads with it.
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

  test('covers every part of the schemas', () => {
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
      for (const field of Object.keys(value).filter(each => !OPTIONAL.includes(each))) {
        const { [field]: _, ...rest } = value as unknown as Record<string, unknown>
        expect(valid(rest), `without ${field}`).toBe(false)
      }
    },
  )

  test('have unique ids', () => {
    for (const topic of ['tier-changes', 'pql-events', 'account-scores'] as const) {
      const ids = values(topic).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
})

const CHAMPIONS = `
id: champions
version: 1
name: Champions
score: { scale: 1, max: 10 }
features:
  logins: { count: { of: usage, within: 30d } }
  arr: { latest: contract.arr }
groups:
  use:
    weight: 1
    max: 10
    rules:
      logins: { of: logins, bands: [{ from: 1, points: 6 }] }
tiers:
  - { name: quiet, from: 0 }
  - { name: active, from: 5, queue: customer-success }
triggers:
  upgrade:
    motion: plan-upgrade
    when: logins >= 1
    cooldown: 7d
    expiry: 30d
    reason: '{logins} logins'
    offer: Team plan
    confidence: logins / 4
    value: arr * 0.2
alerts:
  first-login:
    title: Somebody logged in
    when: logins >= 1
    frequency: 7d
    reason: '{logins} logins in 30 days'
    recipients: [csm, '#expansion']
  big-account:
    when: arr >= 1000
    frequency: 1d
    reason: It pays {arr} a year
    recipients: [sales]
    priority: urgent
    template: big-account-v2
    assignee: account-owner
    action: Call the sponsor
`

describe('optional parts of alerts, tier changes and PQLs', () => {
  const DAY = Date.parse('2026-11-22T10:00:00Z')
  const events = () => {
    const { definition } = new ModelLibrary().compile({ file: 'champions.yaml', text: CHAMPIONS })
    const signal = (id: string, parts: Partial<Signal>): Signal => ({
      id,
      kind: 'usage',
      name: 'login',
      accountId: 'acme',
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: DAY,
      ...parts,
    })
    return foldHistory([
      [
        { timestamp: DAY - 1, models: [definition] },
        { timestamp: DAY, signal: signal('s-1', {}) },
        { timestamp: DAY, signal: signal('s-2', { kind: 'contract', properties: { arr: 2499.99 } }) },
        { timestamp: DAY + 2 * DAY_MS, tick: true },
      ],
    ]).events.map(event => eventRecord(TOPICS, event, '0:1'))
  }
  const valuesOf = (topic: string) =>
    events()
      .filter(record => record.topic === topic)
      .map(({ value }) => JSON.parse(String(value)))

  test('alerts name recipients and next steps, in this order of fields', () => {
    const alerts = valuesOf('alerts')
    expect(alerts.map(({ alert, at }) => [alert, at])).toEqual([
      ['first-login', '2026-11-22T10:00:00.000Z'],
      ['big-account', '2026-11-22T10:00:00.000Z'],
      ['big-account', '2026-11-23T10:00:00.000Z'],
      ['big-account', '2026-11-24T10:00:00.000Z'],
    ])
    expect(JSON.stringify(alerts[2], null, 1)).toBe(
      JSON.stringify(
        {
          id: alerts[2].id,
          accountId: 'acme',
          modelId: 'champions',
          modelVersion: 1,
          alert: 'big-account',
          title: 'Big account',
          priority: 'urgent',
          recipients: ['sales'],
          template: 'big-account-v2',
          assignee: 'account-owner',
          action: 'Call the sponsor',
          score: 6,
          tier: 'active',
          reasons: ['It pays 2499.99 a year'],
          evidence: { arr: 2499.99 },
          at: '2026-11-23T10:00:00.000Z',
          cause: { type: 'window' },
        },
        null,
        1,
      ),
    )
    expect(alerts[0]).toMatchObject({ priority: 'medium', reasons: ['1 logins in 30 days'] })
  })

  test('alerts follow their schema and the headers of asyncapi.yaml', () => {
    const validValue = compileSchema('alert.schema.json')
    const validHeaders = compileMessage('alert', 'headers')
    const records = events().filter(({ topic }) => topic === 'alerts')
    for (const { key, value, headers } of records) {
      const parsed = JSON.parse(String(value))
      validValue(parsed)
      expect(validValue.errors ?? [], String(value)).toEqual([])
      validHeaders(headers)
      expect(validHeaders.errors ?? []).toEqual([])
      expect(key).toBe('acme')
      expect(headers).toMatchObject({ ce_id: parsed.id, ce_time: parsed.at, ce_type: 'com.upswell.alert.v1' })
      expect(headers!['ce_causationid']).toBe(parsed.cause.signalId)
      expect(validValue({ ...parsed, more: 1 })).toBe(false)
      for (const field of Object.keys(parsed)) {
        const { [field]: _, ...rest } = parsed
        expect(validValue(rest), `without ${field}`).toBe(['template', 'assignee', 'action'].includes(field))
      }
    }
    expect(new Set(records.map(({ headers }) => headers!['ce_id'])).size).toBe(4)
  })

  test('a tier change names the queue; a PQL names the offer and its known prospects', () => {
    const [change] = valuesOf('tier-changes')
    expect(change).toMatchObject({ to: 'active', queue: 'customer-success' })
    expect(Object.keys(change).slice(-5)).toEqual(['previousScore', 'queue', 'at', 'cause', 'contributions'])
    const [pql] = valuesOf('pql-events')
    expect(pql).toMatchObject({ status: 'qualified', offer: 'Team plan', confidence: 0.25 })
    expect(pql).not.toHaveProperty('estimatedValue')
    const isPql = compileSchema('pql-event.schema.json')
    for (const [value, valid] of [
      [{ ...pql, estimatedValue: 500 }, true],
      [{ ...pql, estimatedValue: -1 }, false],
      [{ ...pql, confidence: 1.1 }, false],
      [{ ...pql, offer: undefined, confidence: undefined }, true],
    ] as const)
      expect(isPql(JSON.parse(JSON.stringify(value)))).toBe(valid)
    expect(compileSchema('tier-change.schema.json')(change)).toBe(true)
  })
})

describe('the published schemas', () => {
  test('are valid, and named after their files', () => {
    expect([...SCHEMAS.keys()]).toEqual([
      'account-scores.schema.json',
      'alert.schema.json',
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

  test('define a cause, an id and a time alike', () => {
    const definitions = [...SCHEMAS.values()].map(({ $defs }) => $defs as Record<string, object>)
    for (const name of ['cause', 'id', 'time']) {
      const found = definitions.map(each => each[name]).filter(each => each !== undefined)
      expect(found).toHaveLength(4)
      expect(new Set(found.map(each => JSON.stringify(each))).size).toBe(1)
    }
  })

  test('list the motions and priorities of scoring models', () => {
    expect(SCHEMAS.get('alert.schema.json')).toMatchObject({ properties: { priority: { enum: PRIORITIES } } })
    expect(SCHEMAS.get('pql-event.schema.json')).toMatchObject({ properties: { motion: { enum: MOTIONS } } })
  })
})
