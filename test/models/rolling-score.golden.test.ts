import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'

const FILE = 'bench/rolling-score.yaml'

/**
 * The integers of the peer's README. They are exact; the formula in doubles is wrong for 100 of these inputs.
 */
function exactScore(days: number, names: number, users: number, intents: number): number {
  return Math.floor((32 * days + 75 * names + 24 * users + 72 * intents + 12) / 24)
}

function exactTier(score: number): string {
  if (score >= 75) return 'ready'
  if (score >= 50) return 'likely'
  return score >= 25 ? 'potential' : 'none'
}

it('the rolling score and its tier are exact for each of the 35,154 possible inputs', () => {
  const model = compileModel(parseModel(readFileSync(join(PACKAGE_ROOT, FILE), 'utf8'), FILE))
  const wrong: number[][] = []
  let inputs = 0
  for (let days = 0; days <= 30; days++) {
    for (let names = 0; names <= 8; names++) {
      for (let users = 0; users <= 20; users++) {
        for (let intents = 0; intents <= 5; intents++) {
          inputs++
          const { score, tier } = evaluateFeatures(model, {
            activeDays30: days,
            distinctNames30: names,
            distinctUsers30: users,
            intentCount30: intents,
          })
          const exact = exactScore(days, names, users, intents)
          if (score !== exact || tier !== exactTier(exact)) wrong.push([days, names, users, intents, score])
        }
      }
    }
  }
  expect(inputs).toBe(35_154)
  expect(wrong).toEqual([])
})

it('input above the maximum counts as the maximum', () => {
  const model = compileModel(parseModel(readFileSync(join(PACKAGE_ROOT, FILE), 'utf8'), FILE))
  const values = { activeDays30: 30, distinctNames30: 11, distinctUsers30: 50, intentCount30: 900 }
  expect(evaluateFeatures(model, values)).toMatchObject({ score: 100, tier: 'ready', coverage: 1 })
})
