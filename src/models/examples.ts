import type { Signal } from '../signals/signal.ts'
import { valueAt } from './blocks.ts'
import { checkModel } from './parse-model.ts'
import type { RawExample, RawExpectation } from './raw-model.ts'
import { exampleAccount, exampleTime, expandSignals } from './sections/example-signals.ts'

/** What a model says about itself: these signals, as of `at`, make this. */
export interface ModelExample {
  readonly title: string
  /** The moment at which it is looked at, ms since 1970 UTC. Every signal is of then or before. */
  readonly at: number
  readonly accountId: string
  /** All of one account, in ascending `occurredAt`; of one moment facts before events. */
  readonly signals: readonly Signal[]
  readonly expect: Expectation
  /** Where the example begins in the file, from 1. */
  readonly line: number
}

/** What is left out may be anything. `pqls` are exactly the open ones, `held` exactly the held ones, `alerts` those sent so far; a feature that is null is unknown. */
export type Expectation = RawExpectation

/**
 * The examples in a model's file, in its order.
 *
 * @param file only for messages.
 * @throws InvalidModelError, and nothing else whatever the text is, if the model or an example does not check.
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
