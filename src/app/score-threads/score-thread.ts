import { runScoreThread } from './run-score-thread.ts'

/** What a thread that scores runs. */
await runScoreThread()
