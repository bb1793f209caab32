import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type { ModelSource } from '../../src/models/model-library.ts'

/** The measured models by name. The Kafka Streams job computes the first one. */
export const BENCH_MODELS = {
  'rolling-score': 'bench/rolling-score.yaml',
  'expansion-revenue-score': 'models/expansion-revenue-score.yaml',
} as const
export type BenchModel = keyof typeof BENCH_MODELS

export function readModel(model: BenchModel): ModelSource {
  const file = BENCH_MODELS[model]
  return { file, text: readFileSync(join(PACKAGE_ROOT, file), 'utf8') }
}

/** This many copies of rolling-score, each with its own id. */
export function rollingScoreCopies(count: number): ModelSource[] {
  const { text } = readModel('rolling-score')
  return Array.from({ length: count }, (_, i) => {
    const id = i === 0 ? 'rolling-score' : `rolling-score-${i + 1}`
    return { file: `${id}.yaml`, text: text.replace(/^id: .*$/m, `id: ${id}`) }
  })
}

/** rolling-score with windows of this many days in place of 30. */
export function rollingScoreOver(days: number): ModelSource {
  const { file, text } = readModel('rolling-score')
  return { file, text: text.replaceAll('within: 30d', `within: ${days}d`) }
}
