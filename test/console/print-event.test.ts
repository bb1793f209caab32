import { describe, expect, test } from 'vitest'
import { formatEvent } from '../../src/console/print-event.ts'
import { plainText, textWidth } from '../../src/console/terminal-text.ts'
import {
  alertEvent,
  consoleContext,
  contribution,
  MODEL,
  NOW,
  pqlEvent,
  tierChange,
} from './sample-events.ts'

const DAY_MS = 86_400_000

describe('a tier change', () => {
  test('upwards shows the strongest rules', () => {
    expect(formatEvent(tierChange(), consoleContext())).toBe(
      [
        '09:41:07  ▲  76  +4     Northwind Robotics      Expansion-likely → ready',
        '          Health score 30 of 30 · Use of the plan 28 of 40 · NPS answer 18 of 30',
      ].join('\n'),
    )
  })

  test('downwards shows the rules that lack most', () => {
    const event = tierChange({ from: 'ready', to: 'not-ready', score: 40, previousScore: 76 })
    expect(formatEvent(event, consoleContext())).toBe(
      [
        '09:41:07  ▼  40  −36    Northwind Robotics      Expansion-ready → Not ready',
        '          low: Use of the plan 28 of 40 · NPS answer 18 of 30',
      ].join('\n'),
    )
  })

  test('shows what moved, strongest first, if the contributions before are known', () => {
    const before = [
      contribution('usage', 'plan', 6, 24),
      contribution('health', 'score', 5, 30),
      contribution('health', 'nps', 1, 6),
    ]
    const text = formatEvent(tierChange(), consoleContext({ contributionsBefore: () => before }))
    expect(text.split('\n')[1]).toBe('          NPS answer +12 · Use of the plan +4')
  })

  test('caused by time says so', () => {
    const text = formatEvent(tierChange({ cause: { type: 'window' } }), consoleContext())
    expect(text).toContain('time passed · Health score 30 of 30')
  })

  test('made by a person names no rule', () => {
    const text = formatEvent(tierChange({ cause: { type: 'override', signalId: 'o-1' } }), consoleContext())
    expect(text.split('\n')[1]?.trim()).toBe('an override began or ended')
  })

  test('of another day shows the date; of another year, the year', () => {
    expect(formatEvent(tierChange({ at: NOW - 3 * DAY_MS }), consoleContext())).toMatch(/^ {2}15 Nov {2}▲/)
    expect(formatEvent(tierChange({ at: NOW - 400 * DAY_MS }), consoleContext())).toMatch(/^Oct 2025 {2}▲/)
  })

  test('into a tier with a queue names the queue, even if fewer rules fit then', () => {
    const queued = (queue: string) =>
      formatEvent(tierChange({ queue }), consoleContext()).split('\n')[1]?.trim()
    expect(queued('ae')).toBe('queue ae · Health score 30 of 30 · Use of the plan 28 of 40')
    const bare = formatEvent(tierChange({ queue: 'ae', contributions: [] }), consoleContext())
    expect(bare.split('\n')[1]?.trim()).toBe('queue ae')
    expect(queued('enterprise account executives')).toBe(
      'queue enterprise account executives · Health score 30 of 30',
    )
  })

  test('shows the decimals of its model', () => {
    const model = { ...MODEL, score: { ...MODEL.score, decimals: 1 } }
    expect(
      formatEvent(tierChange({ score: 100, previousScore: 65.25 }), consoleContext({ model: () => model })),
    ).toContain('▲ 100.0  +34.8')
  })
})

describe('a PQL', () => {
  test('shows the motion, the reason, and the first step that only its trigger has', () => {
    expect(formatEvent(pqlEvent(), consoleContext())).toBe(
      [
        '09:41:07  PQL           Northwind Robotics      Seat expansion · score 76',
        '          84% of the licensed seats are active',
        '          → Talk about seats.',
      ].join('\n'),
    )
  })

  test('takes two lines on a wide terminal', () => {
    expect(formatEvent(pqlEvent(), consoleContext({ width: 140 }))).toBe(
      [
        '09:41:07  PQL           Northwind Robotics                Seat expansion · score 76: 84% of the licensed seats are active',
        '                        → Talk about seats.',
      ].join('\n'),
    )
  })

  test('shows the offer and its estimated value', () => {
    const lastLine = (more: Parameters<typeof pqlEvent>[0]) =>
      formatEvent(pqlEvent(more), consoleContext()).split('\n').at(-1)?.trim()
    const offer = 'Team plan'
    expect(lastLine({ offer, estimatedValue: 12_400 })).toBe('→ Team plan, worth 12,400: Talk about seats.')
    expect(lastLine({ estimatedValue: 1249.5 })).toBe('→ worth 1,249.5: Talk about seats.')
    expect(lastLine({ offer, play: [] })).toBe('→ Team plan')
    expect(lastLine({ offer, status: 'held', estimatedValue: 900 })).toBe(
      'No outreach until: Health score is 60 or more · Team plan, worth 900',
    )
    expect(lastLine({ offer, status: 'expired' })).toBe('Nobody acted on it in time')
  })

  test('held without a gate waits for a person', () => {
    const model = { ...MODEL, triggers: MODEL.triggers.map(trigger => ({ ...trigger, gates: [] })) }
    const text = formatEvent(pqlEvent({ status: 'held' }), consoleContext({ model: () => model }))
    expect(text).toContain('No outreach until: the hold is lifted')
  })

  test('on hold shows how long to wait', () => {
    const text = formatEvent(pqlEvent({ status: 'held' }), consoleContext())
    expect(text).toContain('PQL held      Northwind Robotics')
    expect(text).toContain('No outreach until: Health score is 60 or more')
    expect(text).not.toContain('→')
  })

  test.each([
    ['released', 'PQL released', '→ Talk about seats.'],
    ['disqualified', 'PQL dropped', 'No longer enough for a PQL'],
    ['expired', 'PQL expired', 'Nobody acted on it in time'],
  ] as const)('that is %s has its own badge and ending', (status, badge, last) => {
    const text = formatEvent(pqlEvent({ status }), consoleContext())
    expect(text).toContain(badge)
    expect(text.split('\n').at(-1)?.trim()).toBe(last)
  })

  test('of another model than the main one names its model', () => {
    const context = consoleContext({ mainModelId: 'another' })
    expect(formatEvent(pqlEvent(), context)).toContain('are active · Expansion Revenue Score')
    expect(formatEvent(pqlEvent(), consoleContext({ mainModelId: 'revenue' }))).not.toContain('Revenue Score')
  })

  test('of an unknown model is printed from the event alone', () => {
    const text = formatEvent(
      pqlEvent({ modelId: 'gone', tier: 'x' }),
      consoleContext({ title: () => undefined }),
    )
    expect(text).toContain('northwind-robotics')
    expect(text).toContain('84% of the licensed seats are active')
  })
})

describe('an alert', () => {
  test('shows its priority, title, reason, next step and recipients', () => {
    expect(formatEvent(alertEvent(), consoleContext())).toBe(
      [
        '09:41:07  ALERT high    Northwind Robotics      The sponsor left · score 76',
        '          No login of the sponsor for 14 days',
        '          → Find a new sponsor · for csm, #expansion',
      ].join('\n'),
    )
  })

  test('takes two lines on a wide terminal', () => {
    expect(formatEvent(alertEvent(), consoleContext({ width: 140 })).split('\n')).toHaveLength(2)
  })

  test.each([
    ['urgent', 'ALERT urgent  Northwind'],
    ['medium', 'ALERT         Northwind'],
    ['low', 'ALERT low     Northwind'],
  ] as const)('of priority %s has its own badge', (priority, head) => {
    expect(formatEvent(alertEvent({ priority }), consoleContext())).toContain(head)
  })

  test('names its assignee, and adds nothing that the model does not have', () => {
    const lastLine = (more: Parameters<typeof alertEvent>[0]) =>
      formatEvent(alertEvent(more), consoleContext()).split('\n').at(-1)?.trim()
    expect(lastLine({ assignee: 'Dana', recipients: [] })).toBe('→ Find a new sponsor · assigned to Dana')
    const { action: _, ...bare } = alertEvent({ recipients: [] })
    expect(formatEvent(bare, consoleContext())).not.toContain('→')
  })
})

describe('names from outside', () => {
  const ODD = [
    'Ünïcode Ltd',
    '株式会社ノースウィンド・ロボティクス東京本社営業部',
    '🚀🚀🚀 Rockets',
    'evil\u001b[2J\u001b]0;title\u0007 name\nsecond line',
    '\u202egnirts desrever',
    'x'.repeat(500),
    '\u0000',
    '',
    '\ud800 half',
    `Z${'\u0301'.repeat(400)}algo`,
  ]
  const events = ODD.flatMap(name => [
    tierChange({ accountId: name, from: name, to: `${name}2` }),
    pqlEvent({ accountId: name, reasons: [name, name], play: [name] }),
    pqlEvent({ accountId: name, status: 'held', modelId: name, offer: name, estimatedValue: 1e300 }),
    tierChange({ queue: name }),
    alertEvent({ accountId: name, title: name, action: name, assignee: name, recipients: [name, name] }),
  ])

  test.each([60, 80, 120])(
    'make no line wider than %i columns, and bring no control character into it',
    width => {
      for (const event of events) {
        const context = consoleContext({ width, mainModelId: 'main', title: accountId => accountId })
        const lines = formatEvent(event, context).split('\n')
        expect(lines.length).toBeLessThanOrEqual(3)
        for (const line of lines) {
          expect(textWidth(line)).toBeLessThanOrEqual(width)
          expect(plainText(line.replace(/ +/g, ' '))).toBe(line.replace(/ +/g, ' ').trim())
        }
      }
    },
  )

  test('a width that is not a number means a narrow terminal', () => {
    for (const width of [Number.NaN, 0, -5, Number.POSITIVE_INFINITY]) {
      for (const line of formatEvent(pqlEvent(), consoleContext({ width })).split('\n'))
        expect(textWidth(line)).toBeLessThanOrEqual(60)
    }
  })
})

test('colours do not change the text', () => {
  for (const event of [
    tierChange(),
    pqlEvent(),
    pqlEvent({ status: 'held' }),
    pqlEvent({ status: 'expired' }),
    alertEvent(),
  ]) {
    const plain = formatEvent(event, consoleContext())
    const colored = formatEvent(event, consoleContext({ color: true }))
    expect(plain).not.toContain('\u001b')
    expect(colored).toContain('\u001b[')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are taken out again
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(plain)
  }
})
