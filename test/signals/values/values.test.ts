import { Readable } from 'node:stream'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readSignalFile } from '../../../src/commands/signal-file/signal-file.ts'
import { startIngest } from '../../../src/consumers/ingest/ingest.ts'
import { decodeRecord } from '../../../src/log/decode-signals-topic.ts'
import type { ConsumeOptions, Log, OutgoingRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { parseSignal } from '../../../src/signals/parse-signal.ts'
import { parseRfc3339 } from '../../../src/signals/rfc3339.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { dayOf, dayOfDate } from '../../../src/signals/time.ts'
import { NOW, World } from '../../api/world.ts'
import { compileSchema } from '../../schemas/published-schemas.ts'
import { logRecord } from '../../support/log-record.ts'
import { readValuesPage, type ValueRow } from './values-page.ts'

/** It reads all that the good signals below have. */
const MODEL = `
id: values
version: 1
name: Values
score: { scale: 1, max: 100 }
features:
  exports: { count: { of: usage, names: report.exported, within: 30d } }
  teams: { distinctValues: { of: team, within: 30d } }
  number: { latest: contract.number }
  seats: { latest: contract.seats }
  text: { latest: contract.text, type: text }
  flag: { latest: contract.flag, type: flag }
  date: { daysUntil: { date: contract.date, from: -400, to: 400 } }
groups:
  all:
    weight: 1
    max: 100
    rules:
      exports: { of: exports, bands: [{ from: 1, points: 1 }] }
      teams: { of: teams, bands: [{ from: 1, points: 1 }] }
      number: { of: number, bands: [{ from: 1, points: 1 }] }
      seats: { of: seats, bands: [{ from: 1, points: 1 }] }
      text: { when: text == "pro", points: 1 }
      flag: { when: flag, points: 1 }
      date: { of: date, bands: [{ from: 1, points: 1 }] }
tiers: [{ name: cold, from: 0 }, { name: hot, from: 50 }]
kpis:
  measures: { revenue: { sum: deal.won, property: amount } }
  metrics: { won: { title: Won, formula: revenue, unit: money } }
`
const OUTCOMES = 'Properties of outcomes'
const FACTS = 'Facts'
const OVERRIDES = 'Properties of an override'
const WHOLE = 'The whole signal'

const EVENT = {
  id: 'evt-1',
  kind: 'usage',
  name: 'report.exported',
  accountId: 'acme',
  occurredAt: '2026-11-22T09:00:00Z',
}
const FACT = { ...EVENT, kind: 'contract', name: 'contract' }
const SECTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'Fields of every signal': EVENT,
  'Properties of usage and intent': EVENT,
  [OUTCOMES]: { ...EVENT, kind: 'outcome', name: 'deal.won' },
  [FACTS]: FACT,
  [OVERRIDES]: { ...EVENT, kind: 'override', name: 'values' },
  [WHOLE]: EVENT,
}
const DECIDED = { reason: 'Merger', author: 'dana', expiresAt: '2027-01-31T00:00:00Z', score: 40 }

/** The value of each row, as JSON text. */
function sentFor({ section, field, example }: ValueRow): string {
  const base = SECTIONS[section]!
  if (section === WHOLE) return example!.replace('…', JSON.stringify(base).slice(1, -1))
  if (section === 'Fields of every signal') {
    // Facts need no name, but here it is about events.
    return withMember(base, field, example)
  }
  if (field === 'the name of a fact') return withMember(base, 'properties', example)
  const others = section === OVERRIDES ? DECIDED : {}
  return withMember(base, 'properties', withMember(others, field, example))
}

/** JSON of an object in which one member has this JSON text; undefined: it has no such member. */
function withMember(object: object, name: string, json: string | undefined): string {
  const members = Object.entries(object).filter(([key]) => key !== name)
  const texts = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
  if (json !== undefined) texts.push(`${JSON.stringify(name)}:${json}`)
  return `{${texts.join(',')}}`
}

const ROWS = readValuesPage()
const EDGE = { observedAt: NOW, defaultKind: undefined, place: 'edge' } as const
const isRefused = ({ expected }: ValueRow): boolean => expected.outcome === 'refused'
const codeOf = ({ expected }: ValueRow): string | undefined => expected.code
const parsedJson = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

test('the page has tables for every section', () => {
  expect(new Set(ROWS.map(({ section }) => section))).toEqual(new Set(Object.keys(SECTIONS)))
  expect(ROWS.length).toBeGreaterThan(250)
})

describe.each(ROWS.map(row => [row.title, row] as const))('%s', (_, row) => {
  const sent = sentFor(row)

  test('is what the parser does', () => {
    const parsed = parseSignal(Buffer.from(sent), EDGE)
    expect('rejection' in parsed ? parsed.rejection.code : undefined).toBe(codeOf(row))
    if ('signal' in parsed) expectField(row, parsed.signal)
  })

  test('is what files do', async () => {
    const lines = []
    for await (const line of readSignalFile(Readable.from([Buffer.from(sent)]), 'f.jsonl')) lines.push(line)
    if (sent.trim() === '') expect(lines).toEqual([])
    else if (!isRefused(row)) expect(lines).toMatchObject([{ type: 'signal' }])
    else expect(lines).toMatchObject([{ type: 'rejected', why: expect.stringMatching(`^${codeOf(row)}:`) }])
  })

  test('is what a source topic does', async () => {
    const [record, ...more] = await ingest(sent)
    expect(more).toEqual([])
    expect(record!.topic).toBe(isTopicKind(row) || !isRefused(row) ? 'signals' : 'dead-letter')
    if (record!.topic === 'dead-letter')
      expect(record!.headers).toMatchObject({ 'upswell-reason': codeOf(row) })
  })

  test('is what the log says of a record that is there already', () => {
    const accountId = (parsedJson(sent)?.value as Signal | null | undefined)?.accountId
    const key = typeof accountId === 'string' ? accountId : 'acme'
    const decoded = decodeRecord(logRecord(0, 0, { topic: 'signals', key, value: sent }, NOW), {
      library: new ModelLibrary(),
      partitions: 1,
    })
    expect('entry' in decoded, JSON.stringify(decoded)).toBe(row.inLog.accepted)
    if ('rejection' in decoded) expect(decoded.rejection.code).toBe(row.inLog.code)
  })

  test('is what the JSON Schema does', () => {
    const json = parsedJson(sent)
    if (json === undefined) return
    expect(isSignal(json.value)).toBe(row.beyondSchema || !isRefused(row))
  })

  test('is what the schema of the API does', () => {
    const json = parsedJson(sent)
    if (json === undefined) return
    expect(isPostable(json.value)).toBe(row.beyondSchema || !isRefused(row))
  })

  test('is what the API answers', async () => {
    const answer = await post(sent)
    expect(answer.statusCode, answer.body).toBe(isRefused(row) ? 400 : 202)
    if (isRefused(row)) {
      if (parsedJson(sent) === undefined) expect(answer.json().code).toBe('INVALID_JSON')
      else expect(answer.json().errors).toMatchObject([{ index: 0, code: codeOf(row) }])
      return
    }
    expect(answer.json().allChecked).toBe(true)
    const listed = answer.json().notCounted as { code: string }[]
    expect(
      listed.map(({ code }) => code),
      answer.body,
    ).toEqual(row.expected.listed)
  })

  if (row.section === FACTS && !isRefused(row) && row.field !== 'the name of a fact') {
    test('is what the model reads', async () => {
      const accountId = `facts-${ROWS.indexOf(row)}`
      const fact = row.field
      const before = { number: 1, text: 'free', flag: true, date: '2026-11-25' }[fact]
      await post(JSON.stringify({ ...FACT, accountId, id: 'before', properties: { [fact]: before } }))
      await post(
        withMember({ ...FACT, accountId, id: 'after' }, 'properties', withMember({}, fact, row.example)),
      )
      const { groups } = (await world.api.inject(`/v1/accounts/${accountId}/explanation`)).json()
      const { inputs } = groups[0].rules.find(({ rule }: { rule: string }) => rule === fact)
      const { outcome, value, listed } = row.expected
      const read = (given: unknown) =>
        fact === 'date' ? Math.max(-400, Math.min(400, dayOfDate(given)! - dayOf(NOW))) : given
      if (outcome === 'no value') {
        const problem =
          listed.length === 0 ? {} : { problem: expect.stringContaining(`contract.${fact} is `) }
        expect(inputs).toEqual([{ name: fact, value: null, status: 'unknown', ...problem }])
      } else {
        const expected = outcome === 'stays as it was' ? read(before) : read(value)
        expect(inputs).toEqual([{ name: fact, value: expected, status: 'present' }])
      }
    })
  }

  if (row.field === 'team' && !isRefused(row)) {
    test('is what the model counts', async () => {
      const accountId = `team-${ROWS.indexOf(row)}`
      await post(JSON.stringify({ ...EVENT, accountId, id: 'before', properties: { team: 'Marketing' } }))
      await post(
        withMember({ ...EVENT, accountId, id: 'after' }, 'properties', withMember({}, 'team', row.example)),
      )
      const { groups } = (await world.api.inject(`/v1/accounts/${accountId}/explanation`)).json()
      const { inputs } = groups[0].rules.find(({ rule }: { rule: string }) => rule === 'teams')
      expect(inputs[0].value).toBe(row.expected.outcome === 'accepted' ? 2 : 1)
    })
  }
})

/** A source topic gives the kind if a record has none. */
function isTopicKind({ section, field, example }: ValueRow): boolean {
  return (
    section === 'Fields of every signal' && field === 'kind' && (example === undefined || example === 'null')
  )
}

function expectField({ section, field, expected: { outcome, value } }: ValueRow, signal: Signal): void {
  if (outcome === 'no value' && field === 'userId') expect(signal.userId).toBeUndefined()
  if (value === undefined || section === FACTS) return
  if (section !== 'Fields of every signal') {
    expect(signal.properties[field]).toEqual(value)
    return
  }
  const canonical: Readonly<Record<string, unknown>> = {
    ...signal,
    quantity: signal.quantityThousandths / 1000,
    occurredAt: new Date(signal.occurredAt).toISOString(),
  }
  expect(canonical[field]).toEqual(value)
}

const TOPICS = topicNames('')

/** The records that ingest commits for one record of `product-usage`. */
async function ingest(value: string): Promise<readonly OutgoingRecord[]> {
  let consumed: ConsumeOptions | undefined
  const committed: OutgoingRecord[] = []
  const log: Pick<Log, 'consume'> = {
    consume: async options => {
      consumed = options
      return { stop: async () => {}, problem: () => undefined, waitingMs: () => 0, assignments: () => [] }
    },
  }
  await startIngest({
    log: log as Log,
    topics: TOPICS,
    group: 'ingest',
    batchSize: 1,
    now: () => NOW,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    onIngested: () => {},
  })
  const topic = TOPICS['product-usage']
  await consumed!.handler.process(
    {
      topic,
      partition: 0,
      committedOffset: 0,
      firstOffset: 0,
      endOffset: 1,
      commit: async records => void committed.push(...records),
      isOver: false,
      lose: () => {},
    },
    [logRecord(0, 0, { topic, key: null, value }, NOW)],
  )
  return committed
}

let world: World
const isSignal = compileSchema('signal.schema.json')
let isPostable: ValidateFunction

beforeAll(async () => {
  // Files ask the clock of the machine.
  vi.setSystemTime(NOW)
  world = await World.create([MODEL])
  const { components } = (await world.api.inject('/openapi.json')).json()
  const ajv = new Ajv2020({ strict: false, strictNumbers: true })
  ajv.addFormat('date-time', text => parseRfc3339(text) !== undefined)
  isPostable = ajv.compile(components.schemas.Signal)
  await post(JSON.stringify({ ...EVENT, id: 'evt-seen' }))
})

afterAll(async () => {
  vi.useRealTimers()
  await world.api.close()
})

/** Posts without effect on the rows that follow: each row's id is new to its account. */
let posted = 0
async function post(payload: string) {
  const text = payload.replace('"id":"evt-1"', `"id":"evt-1-${posted++}"`)
  return await world.api.inject({
    method: 'POST',
    url: '/v1/signals',
    headers: { 'content-type': 'application/json' },
    payload: text,
  })
}
