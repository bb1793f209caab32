import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../src/config.ts'
import type { ModelSource } from '../src/models/model-library.ts'

/** The models that are measured, by name; the first one is what the Kafka Streams job computes. */
export const BENCH_MODELS = {
  'rolling-score': 'bench/rolling-score.yaml',
  'expansion-revenue-score': 'models/expansion-revenue-score.yaml',
} as const
export type BenchModel = keyof typeof BENCH_MODELS

export function readModel(model: BenchModel): ModelSource {
  const file = BENCH_MODELS[model]
  return { file, text: readFileSync(join(PACKAGE_ROOT, file), 'utf8') }
}
