import type { ModelSource } from '../../models/model-library.ts'
import type { Config } from '../config.ts'
import type { ScoredCounts } from '../scored-counts.ts'
import type { PlainError } from './plain-error.ts'

/** What a thread is started with. */
export interface ScoreThreadData {
  readonly config: Config
  readonly models: readonly ModelSource[]
}

/** What it is told: to finish what is under way, leave the groups and close everything. */
export type ToScoreThread = 'stop'

/** What it tells. */
export type FromScoreThread =
  /** For the process's log. */
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
  /** When it changed, and now and then as a sign of life; the first one when the groups were joined. */
  | { readonly type: 'status'; readonly status: ThreadStatus }
  /** Since the last time. */
  | { readonly type: 'counts'; readonly counts: ScoredCounts }
  /** It can never start. */
  | { readonly type: 'failed'; readonly error: PlainError }
  /** The last one: everything is finished and closed. */
  | { readonly type: 'stopped' }

/** As `Scoring` tells it. */
export interface ThreadStatus {
  readonly problem: string | undefined
  readonly assignments: readonly { readonly topic: string; readonly partition: number }[]
  readonly modelsActive: boolean
}
