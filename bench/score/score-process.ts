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
 * Runs the score role as `upswell score` does, with the environment's settings, and watches its log
 * (watched-log.ts) in the main thread or in those that score. The parent process says when to join the group
 * and when to read, so that joining is not measured. SIGTERM stops it.
 */
function report(message: ScorerMessage): void {
  if (process.connected) process.send?.(message)
}

const messages = new BroadcastChannel(THREAD_MESSAGES)
const commands = new BroadcastChannel(THREAD_COMMANDS)
// The channels must not keep the process alive.
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
  // This is early enough: the role first asks the brokers, and their answer cannot be here yet. If threads
  // score, the main thread consumes nothing.
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
