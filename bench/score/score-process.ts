import { BroadcastChannel } from 'node:worker_threads'
import { readConfig } from '../../src/app/config.ts'
import { startService } from '../../src/app/service.ts'
import { describeError } from '../../src/lib/errors.ts'
import { QUIET_LOGGER } from '../logger.ts'
import {
  type ScorerCommand,
  type ScorerMessage,
  THREAD_COMMANDS,
  THREAD_MESSAGES,
  watchLog,
} from './watched-log.ts'

/**
 * The score role as `upswell score` runs it, with the settings of the environment, but for a look at its log (watched-log.ts), in the main thread or in those that score: it joins the
 * group when the process that forked it says so, tells which partitions it holds, begins to read them when it is told to, and tells when it takes the first record. So
 * joining is not measured, with as many scorers as one likes. SIGTERM stops it.
 */
function report(message: ScorerMessage): void {
  if (process.connected) process.send?.(message)
}

const messages = new BroadcastChannel(THREAD_MESSAGES)
const commands = new BroadcastChannel(THREAD_COMMANDS)
// They are not to hold the process.
messages.unref()
commands.unref()
messages.onmessage = event => report((event as { data: ScorerMessage }).data)

try {
  const service = await startService({
    config: readConfig(),
    roles: new Set(['score']),
    logger: QUIET_LOGGER,
    scoreThreadEntry: new URL('./score-thread.js', import.meta.url),
  })
  // In time: the role begins with a question to the brokers, whose answer cannot be there yet. Where threads score, nobody consumes here.
  const command = watchLog(service.backend.log, 0, report)
  process.on('message', message => {
    command(message as ScorerCommand)
    commands.postMessage(message)
  })
  process.once('SIGTERM', () => void service.stop().then(() => process.exit()))
  await service.started
} catch (error) {
  report({ type: 'failed', message: describeError(error) })
  process.exitCode = 1
  process.disconnect?.()
}
