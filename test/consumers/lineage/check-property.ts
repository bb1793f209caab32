import fc from 'fast-check'

/** The number of cases for each property. */
export const RUNS = Number(process.env['TEST_RUNS'] ?? 15)

/**
 * Like `fc.assert`, but reports a failure by its seed: a whole log takes pages. Repeat it with `TEST_SEED`
 * and `TEST_PATH`.
 */
export async function checkProperty<T>(
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void>,
  runs = RUNS,
): Promise<void> {
  const { TEST_SEED: seed, TEST_PATH: path } = process.env
  const result = await fc.check(fc.asyncProperty(arbitrary, holds), {
    numRuns: runs,
    endOnFailure: true,
    // The same cases each time, since they take long and depend on timers. TEST_SEED and TEST_RUNS give
    // others.
    seed: seed === undefined ? 1 : Number(seed),
    ...(path === undefined ? {} : { path }),
  })
  if (!result.failed) return
  const error = result.errorInstance as Error | null
  const found = result.counterexample as [{ plan?: unknown }] | null
  const { plan: _, ...rest } = found?.[0] ?? {}
  throw new Error(
    `TEST_SEED=${result.seed} TEST_PATH=${result.counterexamplePath} after ${result.numRuns} runs, with ${JSON.stringify(rest)}: ${(error?.stack ?? error?.message ?? 'ran too long').slice(0, 3_000)}`,
    { cause: undefined },
  )
}
