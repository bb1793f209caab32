import { runScoreThread } from './run-score-thread.ts'

// The entry of a score thread.
await runScoreThread()
