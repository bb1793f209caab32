import { BroadcastChannel, threadId } from 'node:worker_threads'
import { runScoreThread } from '../../src/app/score-threads/run-score-thread.ts'
import { type ScorerCommand, THREAD_COMMANDS, THREAD_MESSAGES, watchLog } from './watched-log.ts'

/** A thread of the score role, as in the product, with its log watched. */
await runScoreThread(({ log }) => {
  const messages = new BroadcastChannel(THREAD_MESSAGES)
  const commands = new BroadcastChannel(THREAD_COMMANDS)
  // The channels must not keep the thread alive.
  messages.unref()
  commands.unref()
  const command = watchLog(log, threadId, message => messages.postMessage(message))
  commands.onmessage = event => command((event as { data: ScorerCommand }).data)
})
