import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { readAccounts } from './accounts.ts'
import { readAlerts } from './alerts.ts'
import { checkExamples } from './check-examples.ts'
import { checkSchema } from './check-schema.ts'
import { readFacets } from './facets.ts'
import { readFeatures } from './features.ts'
import { readGates } from './gates.ts'
import { readGroups } from './groups.ts'
import { InvalidModelError } from './invalid-model-error.ts'
import { readKpis } from './kpis.ts'
import type { Path } from './path.ts'
import { readRates } from './rates.ts'
import type { RawModel } from './raw-model.ts'
import { readYaml } from './read-yaml.ts'
import { createReport, type Report } from './report.ts'
import { namesIn, soundValue, valueAt } from './sound-entries.ts'
import { readScore, readTierPolicy, readTiers } from './tiers.ts'
import { readTriggers, scopeAfterScore } from './triggers.ts'

export interface CheckedModel {
  readonly definition: ModelDefinition
  /** What the file says, in the form of the schema. */
  readonly data: unknown
  /** The line, from 1, on which the value at a path begins. */
  lineOf(path: Path): number
}

/**
 * Checks the whole text of a model's file, examples too.
 *
 * @throws InvalidModelError, and nothing else whatever the text is, with everything that is wrong with it.
 */
export function checkModel(text: string, file: string): CheckedModel {
  const source = readYaml(text)
  const report = createReport(file, source)
  if (!source.isWhole) throw new InvalidModelError(report.problems())
  checkSchema(source.data, report)
  const definition = readModel(source.data, report)
  const problems = report.problems()
  if (definition === undefined || problems.length > 0) throw new InvalidModelError(problems)
  const { data } = source
  return { definition, data, lineOf: path => source.placeOf(source.offsetOf(path, 'value')).line }
}

/** Checks what a schema cannot say. Goes on where the form is wrong, with whatever is right, so that all problems show at once. */
function readModel(data: unknown, report: Report): ModelDefinition | undefined {
  const block = (key: string) => valueAt(data, key)
  const { definitions: features, scope } = readFeatures(block('features'), report)
  const groups = readGroups(block('groups'), scope, report)
  const rawScore = soundValue<RawModel['score']>(data, 'score', [], report)
  const score = rawScore && readScore(rawScore, report)
  const rawTiers = soundValue<RawModel['tiers']>(data, 'tiers', [], report)
  const tiers = rawTiers && readTiers(rawTiers, score, report)
  const tierPolicy = readTierPolicy(soundValue(data, 'tierPolicy', [], report), report)
  const gates = readGates(block('gates'), scope, report)
  const gateNames = namesIn(block('gates'))
  const tierNames = tiers?.map(tier => tier.name)
  const after = scopeAfterScore(scope, tierNames)
  const triggers = readTriggers(block('triggers'), gateNames, scope, after, report)
  const alerts = readAlerts(block('alerts'), gateNames, scope, after, report)
  const accounts = readAccounts(block('accounts'), scope, report)
  const facets = readFacets(block('facets'), report)
  const rates = readRates(block('rates'), report)
  const kpis = readKpis(data, scope, report)
  const names = {
    features: scope.types,
    groups: namesIn(block('groups')),
    tiers: tierNames,
    triggers: namesIn(block('triggers')),
    alerts: namesIn(block('alerts')),
  }
  checkExamples(block('examples'), names, report)
  if (!report.isSound([]) || score === undefined || tiers === undefined) return undefined
  const { id, version, name } = data as RawModel
  return {
    ...{ id, version, name, score, features, groups, tiers, tierPolicy, gates, triggers, alerts },
    ...{ scope: accounts, facets, rates, kpis },
  }
}
