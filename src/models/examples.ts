import type { Signal } from '../signals/signal.ts'
import { valueAt } from './blocks.ts'
import { checkModel } from './parse-model.ts'
import type { RawExample, RawExpectation } from './raw-model.ts'
import { exampleAccount, exampleTime, expandSignals } from './sections/example-signals.ts'

/** An example from a model file: signals of one account, and the result that they should have at `at`. */
export interface ModelExample {
  readonly title: string
  /** The moment of the result, ms since 1970 UTC. No signal is later. */
  readonly at: number
  readonly accountId: string
  /** In ascending `occurredAt`; at the same moment facts come before events. */
  readonly signals: readonly Signal[]
  readonly expect: Expectation
  /** Where the example begins in the file, from 1. */
  readonly line: number
}

/**
 * The expected result. Keys that are left out may have any value. `pqls` lists exactly the open PQLs, `held`
 * exactly the held ones, `alerts` exactly the alerts sent so far. A feature that is null is unknown.
 */
export type Expectation = RawExpectation

/**
 * Reads the examples in a model file, in the order of the file.
 *
 * @param file appears in messages only.
 * @throws InvalidModelError with all problems of the model and its examples. Nothing else is thrown.
 */
export function readExamples(text: string, file: string): ModelExample[] {
  const { data, lineOf } = checkModel(text, file)
  const examples = (valueAt(data, 'examples') ?? []) as readonly RawExample[]
  return examples.map((raw, index) => {
    const at = exampleTime(raw.at)!
    const { groups, features } = raw.expect
    return {
      title: raw.title,
      at,
      accountId: exampleAccount(raw),
      signals: expandSignals(raw, at, `example-${index + 1}`),
      expect: {
        ...raw.expect,
        ...(groups && { groups: { ...groups } }),
        ...(features && { features: { ...features } }),
      },
      line: lineOf(['examples', index]),
    }
  })
}
