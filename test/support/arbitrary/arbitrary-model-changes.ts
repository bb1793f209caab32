import fc from 'fast-check'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { arbitraryHistory } from '../histories.ts'
import type { HistoryRecord } from '../slow/slow-evaluator.ts'
import { arbitraryModel } from './arbitrary-models.ts'
import { MODEL_IDS } from './vocabulary.ts'

/**
 * A log in which the models change often: tiers are added, removed, renamed and reordered, edges, rules,
 * triggers, alerts, gates, rates and facets change, versions go back, models are removed and come back.
 */
export function arbitraryModelChanges(options: {
  readonly accounts: number
  readonly length: number
}): fc.Arbitrary<HistoryRecord[]> {
  const actives = fc.tuple(...MODEL_IDS.map(() => fc.nat({ max: 5 })))
  return fc
    .record({
      history: arbitraryHistory({ ...options, modelChanges: 0 }),
      versions: fc.tuple(...MODEL_IDS.map(arbitraryVersions)),
      first: actives,
      changes: fc.array(fc.tuple(fc.nat(), actives), { minLength: 1, maxLength: 6, size: 'max' }),
    })
    .map(({ history, versions, first, changes }) => {
      // Beyond the last version there is none: the model is away.
      const choose = (active: readonly number[]) =>
        active.flatMap((version, i) => versions[i]![version] ?? [])
      const [{ timestamp }, ...rest] = history as [HistoryRecord, ...HistoryRecord[]]
      const records: HistoryRecord[] = [{ timestamp, models: choose(first) }]
      const places = changes.map(([place, active]) => [place % (rest.length + 1), active] as const)
      for (let i = 0; i <= rest.length; i++) {
        for (const [place, active] of places)
          if (place === i) records.push({ timestamp: records.at(-1)!.timestamp, models: choose(active) })
        if (i < rest.length) records.push(rest[i]!)
      }
      return records
    })
}

/** Four versions. Each is a new model, or changes a part of the version before. */
function arbitraryVersions(id: string): fc.Arbitrary<ModelDefinition[]> {
  const change = fc.constantFrom('tiers', 'tiers', 'notices', 'edges', 'all')
  return fc.array(fc.tuple(arbitraryModel({ id }), change), { minLength: 4, maxLength: 4 }).map(drawn => {
    const versions: ModelDefinition[] = []
    for (const [other, what] of drawn)
      versions.push({ ...changed(versions.at(-1) ?? other, other, what), version: versions.length + 1 })
    return versions
  })
}

function changed(
  before: ModelDefinition,
  other: ModelDefinition,
  what: 'tiers' | 'notices' | 'edges' | 'all',
): ModelDefinition {
  switch (what) {
    case 'tiers':
      return { ...before, tiers: other.tiers, tierPolicy: other.tierPolicy }
    case 'notices':
      return {
        ...before,
        triggers: before.triggers.slice(1),
        alerts: before.alerts.slice(1),
        facets: other.facets,
        rates: other.rates,
        kpis: other.kpis,
      }
    case 'edges':
      return { ...before, tiers: before.tiers.map((tier, i) => ({ ...tier, from: tier.from + i / 2 })) }
    case 'all':
      return other
  }
}
