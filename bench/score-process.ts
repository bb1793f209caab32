import { readConfig } from '../src/config.ts'
import type { ConsumeOptions } from '../src/consumers/log.ts'
import { describeError } from '../src/errors.ts'
import { startService } from '../src/service.ts'
import { QUIET_LOGGER } from './logger.ts'
import { monotonicMs } from './monotonic.ts'

/** What a scorer tells the process that measures it. `atMs`: see `monotonicMs`. */
export type ScorerMessage =
  /** It is there, and would join the group now. */
  | { readonly type: 'ready' }
  | { readonly type: 'assigned' | 'released'; readonly partition: number }
  | { readonly type: 'first-record'; readonly atMs: number }
  | { readonly type: 'failed'; readonly message: string }

/** What it is told, in this order. */
export type ScorerCommand = 'join' | 'begin'

/**
 * The score role as `upswell score` runs it, with the settings of the environment, but for a look at its log: it joins the group when the process that forked it says
 * so, tells which partitions it holds, begins to read them when it is told to, and tells when it takes the first record. So joining is not measured, with as many
 * scorers as one likes. SIGTERM stops it.
 */
const commands = { join: defer(), begin: defer() }
process.on('message', command => commands[command as ScorerCommand].resolve())

function defer(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

function tell(message: ScorerMessage): void {
  if (process.connected) process.send?.(message)
}

function watch(options: ConsumeOptions): ConsumeOptions {
  const { handler } = options
  let hasBegun = false
  return {
    ...options,
    handler: {
      assigned: async session => {
        const offset = await handler.assigned(session)
        tell({ type: 'assigned', partition: session.partition })
        await commands.begin.promise
        return offset
      },
      process: (session, records) => {
        if (!hasBegun) {
          hasBegun = true
          tell({ type: 'first-record', atMs: monotonicMs() })
        }
        return handler.process(session, records)
      },
      released: session => {
        tell({ type: 'released', partition: session.partition })
        handler.released(session)
      },
    },
  }
}

try {
  const service = await startService({
    config: readConfig(),
    roles: new Set(['score']),
    logger: QUIET_LOGGER,
  })
  const { log } = service.backend
  const consume = log.consume.bind(log)
  // In time: the role begins with a question to the brokers, whose answer cannot be there yet.
  log.consume = async options => {
    tell({ type: 'ready' })
    await commands.join.promise
    return consume(watch(options))
  }
  process.once('SIGTERM', () => void service.stop().then(() => process.exit()))
  await service.started
} catch (error) {
  tell({ type: 'failed', message: describeError(error) })
  process.exitCode = 1
  process.disconnect?.()
}
