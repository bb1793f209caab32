import fc from 'fast-check'
import {
  type AlertDefinition,
  type ModelDefinition,
  PRIORITIES,
} from '../../../src/scoring/definition/model-definition.ts'
import { arbitraryCondition, readableOf } from './arbitrary-conditions.ts'
import { ALERT_NAMES, DAY_MS, HOUR_MS } from './vocabulary.ts'

/** Never short: if a condition is always true, the alert is sent this often for 500 days. */
const FREQUENCIES_MS = [25 * HOUR_MS + 1, DAY_MS, 36 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS, 400 * DAY_MS]

export function arbitraryAlerts({
  features,
  tiers,
  gates,
}: ModelDefinition): fc.Arbitrary<AlertDefinition[]> {
  const readable = readableOf(
    features,
    tiers.map(({ name }) => name),
  )
  const optional = (text: string) => fc.constantFrom(undefined, text)
  return fc.subarray([...ALERT_NAMES]).chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc.record({
          name: fc.constant(name),
          title: fc.constant(`An alert of ${name}`),
          when: arbitraryCondition(readable),
          gates: fc.subarray(gates.map(gate => gate.name)),
          frequencyMs: fc.constantFrom(...FREQUENCIES_MS),
          reason: fc.constantFrom(`${name} as {f0} and {f1%}`, '{score} in {tier}'),
          recipients: fc.subarray(['sales', 'success']),
          template: optional('short'),
          priority: fc.constantFrom(...PRIORITIES),
          assignee: optional('kim'),
          action: optional('call'),
        }),
      ),
    ),
  )
}
