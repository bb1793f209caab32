import { expect, test } from 'vitest'
import type { PromotionEffect } from '../../src/analysis/promotion-effect.ts'
import { formatPromotion } from '../../src/console/print-promotion.ts'

const LOOK = { color: false, width: 80 }
const HEAD = { replay: 'v2', served: 'default', behind: 2 }
const COUNTS = { accounts: 1200, pqls: 310, pqlsEnded: 310, pqlsBegun: 0 }
const EFFECT: PromotionEffect = {
  models: [
    { modelId: 'readiness', current: 3, next: undefined, isSame: false, ...COUNTS },
    { modelId: 'tracker', current: 1, next: undefined, isSame: false, ...COUNTS, pqls: 7, pqlsEnded: 7 },
    {
      modelId: 'mine',
      current: undefined,
      next: 1,
      isSame: false,
      ...COUNTS,
      pqls: 0,
      pqlsEnded: 0,
      pqlsBegun: 12,
    },
    { modelId: 'revenue', current: 1, next: 2, isSame: false, ...COUNTS, pqlsEnded: 4, pqlsBegun: 5 },
    { modelId: 'intent', current: 1, next: 1, isSame: true, ...COUNTS, pqls: 0, pqlsEnded: 0 },
  ],
  accounts: 1200,
  tierChanges: 900,
  pqlEvents: 338,
}

test('a promotion shows each model, and says what ends', () => {
  expect(formatPromotion(HEAD, EFFECT, LOOK)).toBe(
    `
If v2 serves in place of default (1,200 accounts compared):

  model      now        then  accounts  open and held PQLs  of them end  PQLs begin
  readiness   v3        ends     1,200                 310          310           0
  tracker     v1        ends     1,200                   7            7           0
  mine         –  begins, v1     1,200                   0            0          12
  revenue     v1          v2     1,200                 310            4           5
  intent      v1    the same     1,200                   0            0           0

2 of 4 models would end, and 317 PQLs with them. There would be no more events of these models, and the API would not know them. To keep a model, name its file in "upswell replay --model".
Subscribers would get about 1,238 events at once: 900 tier changes and 338 PQL events.
This cannot be undone. To go back, replay the log with the old models and promote that; it announces the differences once more.
`.trim(),
  )
})

test('a promotion with the same models says that nothing is published', () => {
  const [same] = EFFECT.models.slice(-1)
  const effect = { models: [same!], accounts: 1, tierChanges: 0, pqlEvents: 0 }
  const text = formatPromotion({ ...HEAD, behind: 5000 }, effect, LOOK)
  expect(text).toContain('(1 account compared)')
  expect(text).toContain(
    'Subscribers would get no events. The replay is 5,000 records behind, which may change this.',
  )
  expect(text).not.toContain('would end')
})
