import { expect, test } from 'vitest'
import { formatSummaries, formatSummary, type WorkspaceSummary } from '../../src/console/print-summary.ts'
import { textWidth } from '../../src/console/terminal-text.ts'
import { consoleContext, MODEL } from './sample-events.ts'

const SUMMARY: WorkspaceSummary = {
  modelId: 'revenue',
  tiers: { 'not-ready': 1500, likely: 450, ready: 50 },
  pqls: [
    { motion: 'seat-expansion', status: 'open' },
    { motion: 'seat-expansion', status: 'open' },
    { motion: 'seat-expansion', status: 'held' },
    { motion: 'cross-sell', status: 'open' },
  ],
  top: [
    { accountId: 'northwind-robotics', score: 91, tier: 'ready', openPqls: ['seat-expansion', 'cross-sell'] },
    { accountId: 'harbor', score: 75, tier: 'ready', openPqls: [] },
  ],
}

test('prints tiers, PQLs and the highest scores', () => {
  expect(formatSummary(SUMMARY, consoleContext())).toBe(
    [
      '  Expansion Revenue Score · 2,000 accounts',
      '  Expansion-ready         50   3%  ▊',
      '  Expansion-likely       450  23%  ███████▎',
      '  Not ready            1,500  75%  ████████████████████████',
      '',
      '  3 open PQLs · 1 held until: Health score is 60 or more',
      '  Seat expansion           2   +1  ████████████████████████',
      '  Cross-sell               1       ████████████',
      '',
      '  Highest scores',
      '     91  Northwind Robotics        Expansion-ready   Seat expansion, Cross-sell',
      '     75  harbor                    Expansion-ready',
    ].join('\n'),
  )
})

test('prints what to do with each tier on a wide terminal', () => {
  const text = formatSummary(SUMMARY, consoleContext({ width: 120 }))
  expect(text).toContain('▊                         Reach out this quarter.')
})

test('prints a summary of an empty workspace', () => {
  const text = formatSummary({ modelId: 'revenue', tiers: {}, pqls: [], top: [] }, consoleContext())
  expect(text).toContain('0 accounts')
  expect(text).toContain('0 open PQLs')
})

test('shows a bar for a single account among many', () => {
  const text = formatSummary({ ...SUMMARY, tiers: { 'not-ready': 100_000, ready: 1 } }, consoleContext())
  expect(text).toMatch(/Expansion-ready +1 +0% {2}▏/)
})

test.each([60, 80, 120])('prints no line wider than %i columns, whatever the names', width => {
  const top = [
    '株式会社ノースウィンド・ロボティクス東京本社営業部',
    'x'.repeat(300),
    'a\u001b[31m\nb',
    '',
    'Ö',
    'sixth',
  ].map(accountId => ({ accountId, score: 100, tier: 'unknown tier', openPqls: [] }))
  const lines = formatSummary({ ...SUMMARY, top }, consoleContext({ width })).split('\n')
  for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width)
  expect(lines.some(line => line.includes('sixth'))).toBe(false)
})

const OTHER: WorkspaceSummary = {
  modelId: 'intent',
  tiers: { 'not-ready': 1200, likely: 1, ready: 1300 },
  pqls: [
    { motion: 'cross-sell', status: 'open' },
    { motion: 'cross-sell', status: 'held' },
  ],
  top: [],
}

test('prints a table for the main model, and a line for each other model', () => {
  const model = (modelId: string) =>
    modelId === 'revenue' ? MODEL : modelId === 'intent' ? { ...MODEL, name: 'Intent' } : undefined
  const context = consoleContext({ mainModelId: 'revenue', model })
  const unknown = { ...OTHER, modelId: 'not-known', pqls: [] }
  expect(formatSummaries([OTHER, SUMMARY, unknown], context)).toBe(
    [
      formatSummary(SUMMARY, context),
      '',
      '  The other models',
      '  Intent     1,300 expansion-ready, 1 expansion-likely · 1 open PQL',
      '  not-known',
    ].join('\n'),
  )
})

test('prints the table for the first model if the main one is missing, and no more for a single model', () => {
  const context = consoleContext({ mainModelId: 'another' })
  const lines = formatSummaries([SUMMARY, OTHER], context).split('\n')
  expect(lines[0]).toContain('Expansion Revenue Score')
  expect(lines.at(-2)).toBe('  The other model')
  expect(formatSummaries([SUMMARY], context)).toBe(formatSummary(SUMMARY, context))
  expect(formatSummaries([], context)).toBe('')
})

test.each([60, 80, 120])('prints no line about another model wider than %i columns', width => {
  const name = 'A model with a name that takes more room than there is, 株式会社'
  const context = consoleContext({ width, mainModelId: 'revenue', model: () => ({ ...MODEL, name }) })
  for (const line of formatSummaries([SUMMARY, OTHER], context).split('\n'))
    expect(textWidth(line)).toBeLessThanOrEqual(width)
})
