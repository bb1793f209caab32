import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { namesIn, valueAt, wellFormedValue } from './blocks.ts'
import { checkSchema } from './check-schema.ts'
import { createReport, InvalidModelError, type Report } from './problems.ts'
import type { RawModel } from './raw-model.ts'
import { readAccounts, readFacets } from './sections/accounts.ts'
import { checkExamples } from './sections/check-examples.ts'
import { readFeatures } from './sections/features.ts'
import { readAlerts, readGates, readTriggers, scopeWithScore } from './sections/gates-triggers-alerts.ts'
import { readGroups } from './sections/groups.ts'
import { readKpis, readRates } from './sections/rates-and-kpis.ts'
import { readScore, readTierPolicy, readTiers } from './sections/tiers.ts'
import type { Path } from './yaml/path.ts'
import { readYaml } from './yaml/read-yaml.ts'

// How the text of a model file becomes a definition:
//
//   text ──readYaml──► data ──checkSchema──► well-formed parts ──sections/*──► ModelDefinition
//
// Each step reports its problems and goes on with the parts that are right, so that all problems show at
// once.

/**
 * Reads a scoring model from the text of its YAML file, as deep-frozen data. The same text gives the same
 * model on any machine at any time: a replay reads the models of the log again.
 *
 * @param file appears in messages only.
 * @throws InvalidModelError with all problems of the text. Nothing else is thrown, whatever the text is.
 */
export function parseModel(text: string, file: string): ModelDefinition {
  return deepFreeze(checkModel(text, file).definition)
}

export interface CheckedModel {
  readonly definition: ModelDefinition
  /** The content of the file, in the form of `schemas/scoring-model.schema.json`. */
  readonly data: unknown
  /** The line, from 1, on which the value at a path begins. */
  lineOf(path: Path): number
}

/**
 * Checks the whole text of a model file, including its examples.
 *
 * @throws InvalidModelError with all problems of the text. Nothing else is thrown, whatever the text is.
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
  return { definition, data, lineOf: path => source.lineColumnAt(source.offsetOf(path, 'value')).line }
}

/** Checks the rules that a schema cannot express. Undefined if part of the definition is malformed. */
function readModel(data: unknown, report: Report): ModelDefinition | undefined {
  const block = (key: string) => valueAt(data, key)
  const { definitions: features, scope } = readFeatures(block('features'), report)
  const groups = readGroups(block('groups'), scope, report)
  const rawScore = wellFormedValue<RawModel['score']>(data, 'score', [], report)
  const score = rawScore && readScore(rawScore, report)
  const rawTiers = wellFormedValue<RawModel['tiers']>(data, 'tiers', [], report)
  const tiers = rawTiers && readTiers(rawTiers, score, report)
  const tierPolicy = readTierPolicy(wellFormedValue(data, 'tierPolicy', [], report), report)
  const gates = readGates(block('gates'), scope, report)
  const gateNames = namesIn(block('gates'))
  const tierNames = tiers?.map(tier => tier.name)
  const after = scopeWithScore(scope, tierNames)
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
  if (!report.isWellFormed([]) || score === undefined || tiers === undefined) return undefined
  const { id, version, name } = data as RawModel
  return {
    ...{ id, version, name, score, features, groups, tiers, tierPolicy, gates, triggers, alerts },
    ...{ scope: accounts, facets, rates, kpis },
  }
}

/** Freezes plain data at every level and returns it. Recursion is as deep as the data: a few levels. */
function deepFreeze<Data>(data: Data): Data {
  if (typeof data === 'object' && data !== null && !Object.isFrozen(data)) {
    Object.freeze(data)
    for (const value of Object.values(data)) deepFreeze(value)
  }
  return data
}
