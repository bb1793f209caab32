import type { Config } from '../../app/config.ts'
import type { FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import { type Attempt, attempt } from '../../lib/attempt.ts'
import type { ModelLibrary, ModelSource } from '../../models/model-library.ts'
import { type CheckId, type Finding, notChecked } from './finding.ts'
import { readDeadLetters, readReplays, readStoreFacts } from './gather-log.ts'
import { modelKeys, readModelNames, readPartitionModels } from './gather-models.ts'
import { judgeActiveModels, judgeModelNames } from './judge-models.ts'
import {
  judgeBeginning,
  judgeDeadLetters,
  judgePosition,
  judgeReplays,
  judgeStorePartitions,
} from './judge-store.ts'

/** Undefined: the model files cannot be used. */
export type ConfiguredModels = readonly ModelSource[] | undefined

/** For one question, which may take several requests. */
export const DATA_LIMIT_MS = 2_500

export interface DataQuestions {
  readonly config: Config
  readonly lineages: Lineages
  /** The lineage that serves. */
  readonly serving: FoundLineage
  readonly library: ModelLibrary
  readonly models: ConfiguredModels
}

/** The checks of the log and the store, which are the same on Kafka and Redis and embedded. */
export async function checkData(questions: DataQuestions): Promise<Finding[]> {
  const { lineages, serving, config } = questions
  const { log } = serving.backend
  const letters = lineages.original.names.topics['dead-letter']
  const found = await Promise.all([
    judged(
      ['log-beginning', 'store-partitions', 'store-position'],
      () => readStoreFacts(serving),
      facts => [judgeBeginning(facts), judgeStorePartitions(facts), judgePosition(facts)],
    ),
    judged(
      ['dead-letters'],
      () => readDeadLetters(log, letters),
      facts => [judgeDeadLetters(letters, facts)],
    ),
    judged(
      ['replays'],
      () => readReplays(lineages, log, config.topicPrefix),
      ({ replays, leftOver }) => [judgeReplays(replays, leftOver)],
    ),
    checkModels(questions),
  ])
  return found.flat()
}

/** The checks of the models against the store. They need no log. */
export async function checkModels({
  config,
  lineages,
  serving,
  library,
  models,
}: DataQuestions): Promise<Finding[]> {
  if (models === undefined)
    return (['active-models', 'model-names'] as const).map(check =>
      notChecked(check, 'the model files cannot be used'),
    )
  const asked = { lineages, store: serving.backend.store, library, models }
  const configured = modelKeys(library.compileAll(models))
  const found = await Promise.all([
    judged(
      ['active-models'],
      () => readPartitionModels(asked, config),
      facts => [judgeActiveModels(configured, facts)],
    ),
    judged(
      ['model-names'],
      () => readModelNames(asked),
      facts => [judgeModelNames(facts)],
    ),
  ])
  return found.flat()
}

/** The findings about what a question gave; without an answer, each of the checks was not made. */
export async function judged<Facts>(
  checks: readonly CheckId[],
  question: () => Promise<Facts>,
  judge: (facts: Facts) => readonly Finding[],
): Promise<readonly Finding[]> {
  const answer: Attempt<Facts> = await attempt(DATA_LIMIT_MS, question)
  return 'value' in answer ? judge(answer.value) : checks.map(check => notChecked(check, answer.reason))
}
