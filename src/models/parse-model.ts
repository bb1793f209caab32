import type { ModelDefinition } from '../scoring/model-definition.ts'
import { checkSchema } from './check-schema.ts'
import { deepFreeze } from './deep-freeze.ts'
import { readFeatures } from './features.ts'
import { readGates } from './gates.ts'
import { readGroups } from './groups.ts'
import { InvalidModelError } from './invalid-model-error.ts'
import type { RawModel } from './raw-model.ts'
import { readYaml } from './read-yaml.ts'
import { createReport, type Report } from './report.ts'
import { namesIn, soundValue, valueAt } from './sound-entries.ts'
import { readScore, readTierPolicy, readTiers } from './tiers.ts'
import { readTriggers } from './triggers.ts'

/**
 * A scoring model from the text of its YAML file, as deep-frozen plain data. The language is described by
 * `schemas/scoring-model.schema.json`. The same text gives the same model, on any machine and in any later run: models
 * are read again when a log is replayed.
 *
 * @param file only for messages.
 * @throws InvalidModelError, and nothing else whatever the text is, with everything that is wrong with it.
 */
export function parseModel(text: string, file: string): ModelDefinition {
  const source = readYaml(text)
  const report = createReport(file, source)
  if (!source.isWhole) throw new InvalidModelError(report.problems())
  checkSchema(source.data, report)
  const definition = readModel(source.data, report)
  const problems = report.problems()
  if (definition === undefined || problems.length > 0) throw new InvalidModelError(problems)
  return deepFreeze(definition)
}

/** Checks what a schema cannot say. Goes on where the form is wrong, with whatever is right, so that all problems show at once. */
function readModel(data: unknown, report: Report): ModelDefinition | undefined {
  const { definitions: features, scope } = readFeatures(valueAt(data, 'features'), report)
  const groups = readGroups(valueAt(data, 'groups'), scope, report)
  const rawScore = soundValue<RawModel['score']>(data, 'score', [], report)
  const score = rawScore && readScore(rawScore, report)
  const rawTiers = soundValue<RawModel['tiers']>(data, 'tiers', [], report)
  const tiers = rawTiers && readTiers(rawTiers, score, report)
  const tierPolicy = readTierPolicy(soundValue(data, 'tierPolicy', [], report), report)
  const gates = readGates(valueAt(data, 'gates'), scope, report)
  const triggers = readTriggers(
    valueAt(data, 'triggers'),
    namesIn(valueAt(data, 'gates')),
    tiers?.map(tier => tier.name),
    scope,
    report,
  )
  if (!report.isSound([]) || score === undefined || tiers === undefined) return undefined
  const { id, version, name } = data as RawModel
  return { id, version, name, score, features, groups, tiers, tierPolicy, gates, triggers }
}
