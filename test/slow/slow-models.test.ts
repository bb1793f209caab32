import { describe, expect, test } from 'vitest'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  facts,
  HOUR_MS,
  line,
  linesOf,
  models,
  seatsModel,
  tick,
  trigger,
} from '../support/small-histories.ts'

describe('a models record', () => {
  const base = seatsModel({ triggers: [trigger(), trigger({ name: 'gone', motion: 'cross-sell' })] })

  test('disqualifies PQLs whose trigger is gone, and keeps the tier and the other states', () => {
    const { events } = slowEvaluate([
      models(at(0), base),
      facts(at(0, 6), { seats: 10 }, { id: 'many' }),
      models(at(1, 12), { ...base, version: 2, triggers: [trigger({ expiryMs: HOUR_MS })] }),
      tick(at(6)),
    ])
    expect(events.map(line)).toEqual([
      '0.25 cold > hot 0 > 10, signal many',
      '0.25 upgrade#1 qualified, signal many',
      '0.25 gone#1 qualified, signal many',
      '1.5 gone#1 disqualified, model',
      '5.25 upgrade#1 expired, window',
    ])
    expect(events.map(event => event.modelVersion)).toEqual([1, 1, 1, 1, 2])
  })

  test('ends models that it does not name, and starts new ones with cause model', () => {
    expect(
      linesOf(
        models(at(0), base),
        facts(at(0, 6), { seats: 10 }, { id: 'many' }),
        models(at(1, 12), { ...base, id: 'other' }),
      ),
    ).toEqual([
      '0.25 cold > hot 0 > 10, signal many',
      '0.25 upgrade#1 qualified, signal many',
      '0.25 gone#1 qualified, signal many',
      '1.5 hot > cold 10 > 0, model',
      '1.5 upgrade#1 disqualified, model',
      '1.5 gone#1 disqualified, model',
      '1.5 cold > hot 0 > 10, model',
      '1.5 upgrade#1 qualified, model',
      '1.5 gone#1 qualified, model',
    ])
  })

  test('moves an account whose tier is gone to the tier of its score', () => {
    const tiers = [
      { name: 'low', title: '', from: 0, action: '', queue: undefined },
      { name: 'high', title: '', from: 5, action: '', queue: undefined },
    ]
    expect(
      linesOf(
        models(at(0), seatsModel()),
        facts(at(0), { seats: 10 }, { id: 'many' }),
        models(at(1), seatsModel({ version: 2, tiers })),
      ),
    ).toEqual(['0 cold > hot 0 > 10, signal many', '1 hot > high 10 > 10, model'])
  })

  test('changes nothing for an unchanged model', () => {
    const history = [models(at(0), base), facts(at(0, 6), { seats: 10 }), tick(at(9))]
    const again = [...history.slice(0, 2), models(at(2, 2), base), ...history.slice(2)]
    expect(slowEvaluate(again).events).toEqual(slowEvaluate(history).events)
  })
})
