import type { ModelSource } from '../../models/model-library.ts'
import type { ScoreOptions } from './score-partition.ts'

export interface ScoringOptions extends ScoreOptions {
  readonly group: string
  readonly batchSize: number
  /** Those that are to be active where the line serves; undefined: those that are. */
  readonly models: readonly ModelSource[] | undefined
  readonly now: () => number
  /** How often time is looked at. 0: never, for those who append ticks themselves. */
  readonly tickIntervalMs: number
  /** Makes a call again and again at this interval until what it returns is called; left out: the process's own timer. */
  readonly every?: (intervalMs: number, call: () => void) => () => void
}
