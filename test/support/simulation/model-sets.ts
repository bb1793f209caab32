import fc from 'fast-check'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { arbitraryModel } from '../arbitrary/arbitrary-models.ts'
import { DAY_MS, HOUR_MS, MODEL_IDS } from '../arbitrary/vocabulary.ts'
import { atLeast, model, pointsOf, SEATS, trigger, USED } from '../small-histories.ts'

const RANDOM_MODELS = 30
const SETS = 60

function makeSets(): (readonly ModelDefinition[])[] {
  // Each has its own version: a version never changes its content.
  const random = (id: string, version: number) =>
    fc
      .sample(arbitraryModel({ id, version }), { seed: 7 + version, numRuns: RANDOM_MODELS })
      .map((of, i) => ({ ...of, version: 100 * version + i }))
  const [growth, health, later] = [random(MODEL_IDS[0], 1), random(MODEL_IDS[1], 1), random(MODEL_IDS[0], 2)]
  return Array.from({ length: SETS }, (_, i) => {
    const index = i >> 1
    const plain = PLAIN[index % PLAIN.length]!
    switch (i % 6) {
      case 0:
        return [plain]
      case 1:
        return [growth[index]!]
      case 2:
        return [later[index]!, health[index]!]
      case 3:
        return [plain, health[index]!]
      case 4:
        return [growth[index]!, health[index]!]
      default:
        return [health[index]!]
    }
  })
}

/**
 * The first scores the uses of 30 days, with a trigger that a few uses meet; the second the newest number of
 * seats.
 */
const PLAIN: readonly ModelDefinition[] = [
  model({
    triggers: [trigger({ when: atLeast('used', 3), cooldownMs: 2 * HOUR_MS, expiryMs: DAY_MS })],
    alerts: [],
  }),
  model({
    version: 2,
    features: [{ ...USED, window: { unit: 'day', length: 2 } } as typeof USED, SEATS],
    groups: [
      {
        name: 'all',
        title: 'All',
        weight: 1,
        max: 100,
        rules: [pointsOf('used'), pointsOf('seats', { name: 'seats' })],
      },
    ],
    triggers: [trigger({ when: atLeast('seats', 2), cooldownMs: HOUR_MS, expiryMs: 12 * HOUR_MS })],
  }),
]

/**
 * The sets of models that a plan chooses from by index: random ones, and some that are sure to publish many
 * events.
 */
export const MODEL_SETS: readonly (readonly ModelDefinition[])[] = makeSets()
