import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { namesIn, soundValue, valueAt } from './blocks.ts'
import { checkSchema } from './check-schema.ts'
import { createReport, InvalidModelError, type Report } from './problems.ts'
import type { RawModel } from './raw-model.ts'
import { readAccounts, readFacets } from './sections/accounts.ts'
import { checkExamples } from './sections/check-examples.ts'
import { readFeatures } from './sections/features.ts'
import { readAlerts, readGates, readTriggers, scopeAfterScore } from './sections/gates-triggers-alerts.ts'
import { readGroups } from './sections/groups.ts'
import { readKpis, readRates } from './sections/rates-and-kpis.ts'
import { readScore, readTierPolicy, readTiers } from './sections/tiers.ts'
import type { Path } from './yaml/path.ts'
import { readYaml } from './yaml/read-yaml.ts'

/**
 * A scoring model from the text of its YAML file, as deep-frozen plain data. The language is described by
 * `schemas/scoring-model.schema.json`. The same text gives the same model, on any machine and in any later run: models
 * are read again when a log is replayed.
 *
 * @param file only for messages.
 * @throws InvalidModelError, and nothing else whatever the text is, with everything that is wrong with it.
 */
export function parseModel(text: string, file: string): ModelDefinition {
  return deepFreeze(checkModel(text, file).definition)
}

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

/** Freezes plain data all the way down, and returns it. As deep as the data, which is a few levels. */
export function deepFreeze<Data>(data: Data): Data {
  if (typeof data === 'object' && data !== null && !Object.isFrozen(data)) {
    Object.freeze(data)
    for (const value of Object.values(data)) deepFreeze(value)
  }
  return data
}
