import fc from 'fast-check'

/** With one decimal, so that sums and products are not exact in doubles. */
export const arbitraryPoints = fc.integer({ min: -20, max: 150 }).map(tenths => tenths / 10)

/** Limits near the values of features: counts, days, ratios. */
export const arbitraryLimit = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 0.1, 0.25, 0.3, 0.5, 1.5, 90, 365) },
)
