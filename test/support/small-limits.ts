import type { SlowLimits } from './slow/slow-limits.ts'

// Limits of names, keys and so on that nearly every random log reaches. A test file mocks the limits of the
// account with the first, and gives the second to the slow evaluator.

export const SMALL_LIMITS = {
  series: 3,
  keys: 3,
  matchedKeys: 5,
  valuesPerDimension: 1,
  overrides: 1,
  endedModels: 1,
  formerTiers: 1,
}

export const SLOW_SMALL_LIMITS: SlowLimits = {
  names: 3,
  keys: 3,
  matchedKeys: 5,
  values: 1,
  overrides: 1,
  endedModels: 1,
  formerTiers: 1,
}
