import { BroadcastChannel, threadId } from 'node:worker_threads'
import { runScoreThread } from '../../src/app/score-threads/run-score-thread.ts'
import { TOLD_BY_THREADS, TOLD_TO_THREADS } from './scorers-channel.ts'
import { type ScorerCommand, watchLog } from './watched-log.ts'

/** A thread of the score role, as the product runs it, but for a look at its log. */
await runScoreThread(({ log }) => {
  const told = new BroadcastChannel(TOLD_BY_THREADS)
  const commands = new BroadcastChannel(TOLD_TO_THREADS)
  // They are not to hold the thread.
  told.unref()
  commands.unref()
  const command = watchLog(log, threadId, message => told.postMessage(message))
  commands.onmessage = event => command((event as { data: ScorerCommand }).data)
})
